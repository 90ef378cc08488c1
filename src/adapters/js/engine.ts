import { Worker } from 'node:worker_threads';
import type { JsonValue } from '../../core/json.ts';
import { cwlError } from '../../cwl/errors.ts';
import type { JsEngine, JsRequest } from '../../cwl/port.ts';
import type { WorkerMessage, WorkerReply, WorkerRequest, WorkerSettings } from './protocol.ts';

export interface JsEngineOptions {
  /** What one evaluation may allocate. */
  readonly memoryBytes?: number;
  /** Evaluations at the same time. A second thread starts only when the first is busy for a while. */
  readonly maxWorkers?: number;
}

const defaultMemoryBytes = 256 * 1024 * 1024;
/** Native loops of the engine do not look at its deadline; after this long the thread is ended. */
const graceMs = 200;
/** Starting a thread costs about as much as a hundred evaluations. */
const patienceMs = 100;

interface Job {
  readonly request: WorkerRequest;
  readonly settle: (reply: WorkerReply) => void;
}

interface Thread {
  readonly worker: Worker;
  isReady: boolean;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** QuickJS, compiled to WebAssembly, in worker threads that start with the first evaluation and can be ended at any moment. */
export function createJsEngine(options: JsEngineOptions = {}): JsEngine {
  const pool = new Pool(options.memoryBytes ?? defaultMemoryBytes, options.maxWorkers ?? 2);
  return {
    async evaluate(request) {
      const { code, body, globals, library, timeoutMs } = request;
      const reply = await pool.run({ code, body, library, timeoutMs, globals: JSON.stringify(globals) });
      return toValue(reply, request);
    },
    close: () => pool.close(),
  };
}

class Pool {
  readonly #memoryBytes: number;
  readonly #maxWorkers: number;
  readonly #threads = new Set<Thread>();
  readonly #queue: Job[] = [];
  #patience: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(memoryBytes: number, maxWorkers: number) {
    this.#memoryBytes = memoryBytes;
    this.#maxWorkers = maxWorkers;
  }

  run(request: WorkerRequest): Promise<WorkerReply> {
    if (this.#closed) return Promise.resolve({ kind: 'limit', message: 'the engine is closed' });
    const { promise, resolve } = Promise.withResolvers<WorkerReply>();
    this.#queue.push({ request, settle: resolve });
    this.#dispatch();
    return promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#patience);
    for (const job of this.#queue.splice(0)) job.settle({ kind: 'limit', message: 'the engine was closed' });
    await Promise.all([...this.#threads].map((thread) => this.#end(thread, 'the engine was closed')));
  }

  #dispatch(): void {
    const idle =
      [...this.#threads].find((thread) => !thread.job) ?? (this.#threads.size === 0 ? this.#start() : undefined);
    const job = idle && this.#queue.shift();
    if (job) this.#send(idle, job);
    else if (this.#queue.length > 0) this.#growLater();
  }

  #growLater(): void {
    if (this.#patience || this.#threads.size >= this.#maxWorkers) return;
    const waiting = this.#queue[0];
    this.#patience = setTimeout(() => {
      this.#patience = undefined;
      if (this.#closed || this.#queue.length === 0) return;
      if (this.#queue[0] === waiting && this.#threads.size < this.#maxWorkers) this.#start();
      this.#dispatch();
    }, patienceMs);
  }

  #send(thread: Thread, job: Job): void {
    thread.job = job;
    thread.worker.ref();
    if (thread.isReady) this.#watch(thread, job);
    thread.worker.postMessage(job.request);
  }

  /** A reply that came while this process was busy counts, late as it is read. */
  #watch(thread: Thread, job: Job): void {
    const end = () => setImmediate(() => thread.job === job && void this.#end(thread, 'it ran longer than allowed'));
    thread.timer = setTimeout(end, job.request.timeoutMs + graceMs);
  }

  #start(): Thread {
    const workerData: WorkerSettings = { memoryBytes: this.#memoryBytes };
    const worker = new Worker(workerUrl(), { workerData, env: {}, execArgv: [], stdin: false });
    const thread: Thread = { worker, isReady: false, job: undefined, timer: undefined };
    worker.unref();
    worker.on('message', (message: WorkerMessage) => this.#hear(thread, message));
    worker.on('error', (error) => void this.#end(thread, error.message));
    worker.on('exit', () => void this.#end(thread, 'its thread ended'));
    this.#threads.add(thread);
    return thread;
  }

  /** The time of an evaluation begins when its thread has started. */
  #hear(thread: Thread, message: WorkerMessage): void {
    if (message.kind === 'ready') {
      thread.isReady = true;
      if (thread.job) this.#watch(thread, thread.job);
    } else this.#finish(thread, message);
  }

  #finish(thread: Thread, reply: WorkerReply): void {
    if (reply.kind === 'limit' && reply.isLast) return void this.#end(thread, reply.message);
    const { job } = thread;
    clearTimeout(thread.timer);
    thread.job = undefined;
    thread.worker.unref();
    job?.settle(reply);
    if (!this.#closed) this.#dispatch();
  }

  async #end(thread: Thread, message: string): Promise<void> {
    if (!this.#threads.delete(thread)) return;
    clearTimeout(thread.timer);
    thread.job?.settle({ kind: 'limit', message });
    if (!this.#closed && this.#queue.length > 0) this.#dispatch();
    await thread.worker.terminate();
  }
}

/** Beside this file; where all is bundled, beside the bundle. */
function workerUrl(): URL {
  const { url } = import.meta;
  if (url.endsWith('.ts')) return new URL('./js-worker.ts', url);
  return new URL(url.includes('/chunks/') ? '../js-worker.js' : './js-worker.js', url);
}

function toValue(reply: WorkerReply, { timeoutMs }: JsRequest): JsonValue {
  switch (reply.kind) {
    case 'value':
      return reply.json === undefined ? null : parseResult(reply.json);
    case 'error': {
      const place = reply.inLibrary === undefined ? '' : ` in expressionLib[${reply.inLibrary}]`;
      const line = reply.line === undefined ? '' : ` at line ${reply.line}`;
      throw cwlError('cwl/expression-failed', `expression failed${place}${line}: ${reply.message}`);
    }
    case 'limit': {
      const hint = `an expression has ${timeoutMs / 1000} s; --eval-timeout changes that`;
      throw cwlError('cwl/expression-limit', `expression was ended: ${reply.message}`, { hint });
    }
  }
}

function parseResult(json: string): JsonValue {
  const hasProto = json.includes('__proto__');
  return JSON.parse(json, hasProto ? refuseProto : undefined) as JsonValue;
}

function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__')
    throw cwlError('cwl/expression-failed', 'expression failed: its value has the key "__proto__"');
  return value;
}
