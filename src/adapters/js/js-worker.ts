import { parentPort, workerData } from 'node:worker_threads';
import { getQuickJS } from 'quickjs-emscripten';
import type { WorkerReply, WorkerRequest, WorkerSettings } from './protocol.ts';
import { createSandbox } from './sandbox.ts';

const { memoryBytes } = workerData as WorkerSettings;
const evaluate = createSandbox(await getQuickJS(), { memoryBytes });

parentPort?.on('message', (request: WorkerRequest) => {
  parentPort?.postMessage(reply(request));
});

function reply(request: WorkerRequest): WorkerReply {
  try {
    return evaluate(request);
  } catch (error) {
    // The engine itself gave up; its memory may be in any state, so this thread does not serve again.
    queueMicrotask(() => process.exit(1));
    return { kind: 'limit', message: `the engine gave up: ${error instanceof Error ? error.message : String(error)}` };
  }
}
