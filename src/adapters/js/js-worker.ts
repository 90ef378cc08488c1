import { parentPort, workerData } from 'node:worker_threads';
import { newQuickJSWASMModuleFromVariant } from 'quickjs-emscripten-core';
import type { WorkerMessage, WorkerReply, WorkerRequest, WorkerSettings } from './protocol.ts';
import { createSandbox } from './sandbox.ts';

const { memoryBytes } = workerData as WorkerSettings;
const evaluate = createSandbox(await newQuickJSWASMModuleFromVariant(import('@jitl/quickjs-wasmfile-release-sync')), {
  memoryBytes,
});

const tell = (message: WorkerMessage) => parentPort?.postMessage(message);

parentPort?.on('message', (request: WorkerRequest) => tell(reply(request)));
tell({ kind: 'ready' });

function reply(request: WorkerRequest): WorkerReply {
  try {
    return evaluate(request);
  } catch (error) {
    // Its memory may be in any state, so this thread does not serve again.
    const message = `the engine gave up: ${error instanceof Error ? error.message : String(error)}`;
    return { kind: 'limit', message, isLast: true };
  }
}
