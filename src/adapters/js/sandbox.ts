import type { QuickJSContext, QuickJSHandle, QuickJSRuntime, QuickJSWASMModule } from 'quickjs-emscripten-core';
import type { WorkerReply, WorkerRequest } from './protocol.ts';
import { createSnapshots } from './snapshots.ts';

const stackBytes = 512 * 1024;
export interface SandboxLimits {
  /** What one evaluation may allocate, its library included. */
  readonly memoryBytes: number;
}

/** Evaluates one request after the other; nothing is left for the next of what one did. */
export type Sandbox = (request: WorkerRequest) => WorkerReply;

/**
 * Without a library each evaluation has a runtime of its own. A library is loaded once: the engine's memory is kept as it was
 * then, and put back before each evaluation that uses it, which takes a millisecond instead of the time of its parsing.
 */
export function createSandbox(quickjs: QuickJSWASMModule, { memoryBytes }: SandboxLimits): Sandbox {
  const libraries = createSnapshots<Loaded>(quickjs.getWasmMemory());
  const load = (library: readonly string[], deadline: number): Loaded => {
    const runtime = quickjs.newRuntime();
    runtime.setMemoryLimit(memoryBytes);
    runtime.setMaxStackSize(stackBytes);
    setDeadline(runtime, deadline);
    return loadLibrary(runtime, library);
  };
  return (request) => {
    const deadline = performance.now() + request.timeoutMs;
    if (request.library.length > 0) {
      const key = JSON.stringify(request.library);
      const loaded = libraries.restore(key, () => load(request.library, deadline), isLasting);
      setDeadline(loaded.runtime, deadline);
      return run(loaded, request);
    }
    const loaded = load([], deadline);
    try {
      return run(loaded, request);
    } finally {
      loaded.dispose();
    }
  };
}

/** What ran into a limit may have had bad luck: the next evaluation tries anew. */
const isLasting = ({ failure }: Loaded): boolean => failure?.kind !== 'limit';

const setDeadline = (runtime: QuickJSRuntime, deadline: number) =>
  runtime.setInterruptHandler(() => performance.now() > deadline);

/** A context in which the library was evaluated and no expression yet. */
interface Loaded {
  readonly runtime: QuickJSRuntime;
  readonly context: QuickJSContext;
  /** Sets the variables of an evaluation. */
  readonly define: QuickJSHandle;
  /** The engine's own JSON.stringify. */
  readonly stringify: QuickJSHandle;
  /** Of a library that failed: every evaluation that uses it fails so. */
  readonly failure?: WorkerReply;
  dispose(): void;
}

/**
 * What expressions need of the engine is taken here, before the document's code could replace it. `Math.random` gets a seed from each
 * evaluation: the engine seeds its own once for a context, which a restored one would repeat. `console` is there since people use
 * it while they write; it says nothing to anyone.
 */
const setup = `"use strict";(() => {
  const { parse, stringify } = JSON;
  const { imul } = Math;
  const log = () => {};
  globalThis.console = { log, info: log, warn: log, error: log, debug: log };
  const next = (word) => {
    word[0] = (word[0] + 0x6d2b79f5) | 0;
    let mixed = imul(word[0] ^ (word[0] >>> 15), 1 | word[0]);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const high = [0];
  const low = [0];
  Math.random = () => (next(high) * 2 ** 21 + (next(low) >>> 11)) / 2 ** 53;
  const define = (globals, seed1, seed2) => {
    high[0] = seed1;
    low[0] = seed2;
    const { inputs, self, runtime } = parse(globals);
    globalThis.inputs = inputs;
    globalThis.self = self;
    globalThis.runtime = runtime;
  };
  return { define, stringify };
})()`;

/** The library comes before the variables, as in cwltool: while it loads there are none. */
function loadLibrary(runtime: QuickJSRuntime, library: readonly string[]): Loaded {
  const context = runtime.newContext();
  const tools = context.unwrapResult(context.evalCode(setup, 'setup'));
  const [define, stringify] = [context.getProp(tools, 'define'), context.getProp(tools, 'stringify')];
  tools.dispose();
  const dispose = () => {
    for (const part of [define, stringify, context, runtime]) part.dispose();
  };
  const loaded = { runtime, context, define, stringify, dispose };
  for (const [index, code] of library.entries()) {
    const result = context.evalCode(`"use strict";${code}`, `expressionLib[${index}]`);
    if (result.error) return { ...loaded, failure: toReply(context, result.error, index) };
    result.value.dispose();
  }
  return loaded;
}

/** `node:crypto` would take a tenth of the time that the thread needs to start. */
const randomWord = () => Math.floor(Math.random() * 2 ** 32);

function run({ context, define, stringify, failure }: Loaded, request: WorkerRequest): WorkerReply {
  if (failure) return failure;
  using globals = context.newString(request.globals);
  using seed1 = context.newNumber(randomWord());
  using seed2 = context.newNumber(randomWord());
  const defined = context.callFunction(define, context.undefined, globals, seed1, seed2);
  if (defined.error) return toReply(context, defined.error);
  defined.value.dispose();
  const code = request.body ? `(function(){${request.code}\n})()` : `(${request.code}\n)`;
  const result = context.evalCode(`"use strict";${code}`, 'expression');
  if (result.error) return toReply(context, result.error);
  return toJson(context, stringify, result.value);
}

function toJson(context: QuickJSContext, stringify: QuickJSHandle, value: QuickJSHandle): WorkerReply {
  using owned = value;
  const result = context.callFunction(stringify, context.undefined, owned);
  if (result.error) return toReply(context, result.error);
  using text = result.value;
  return context.typeof(text) === 'string' ? { kind: 'value', json: context.getString(text) } : { kind: 'value' };
}

function toReply(context: QuickJSContext, error: QuickJSHandle, inLibrary?: number): WorkerReply {
  using owned = error;
  const { name, message, stack } = describeError(context, owned);
  if (name === 'InternalError' && /interrupted/.test(message))
    return { kind: 'limit', message: 'it ran longer than allowed' };
  if (name === 'InternalError' && /out of memory/.test(message))
    return { kind: 'limit', message: 'it needs more memory than allowed' };
  if (/stack overflow/.test(message)) return { kind: 'limit', message: 'its calls are nested too deeply' };
  const file = inLibrary === undefined ? 'expression' : `expressionLib\\[${inLibrary}\\]`;
  const line = new RegExp(`${file}:(\\d+)`).exec(stack)?.[1];
  return {
    kind: 'error',
    message: name === '' ? message : `${name}: ${message}`,
    ...(line !== undefined && { line: Number(line) }),
    ...(inLibrary !== undefined && { inLibrary }),
  };
}

/** Reads an error without trusting it: any property may be a trap that throws. */
function describeError(
  context: QuickJSContext,
  error: QuickJSHandle,
): { name: string; message: string; stack: string } {
  const read = (key: string): string => {
    try {
      using property = context.getProp(error, key);
      return context.typeof(property) === 'string' ? context.getString(property).slice(0, 2000) : '';
    } catch {
      return '';
    }
  };
  if (context.typeof(error) === 'object' && context.typeof(error) !== 'null') {
    const found = { name: read('name'), message: read('message'), stack: read('stack') };
    if (found.name !== '' || found.message !== '') return found;
    // An exhausted heap cannot make an error object with words in it.
    return { name: 'InternalError', message: 'out of memory', stack: '' };
  }
  if (context.typeof(error) === 'string')
    return { name: 'thrown', message: context.getString(error).slice(0, 2000), stack: '' };
  return { name: 'InternalError', message: 'out of memory', stack: '' };
}
