import type { QuickJSContext, QuickJSHandle, QuickJSWASMModule } from 'quickjs-emscripten';
import type { WorkerReply, WorkerRequest } from './protocol.ts';

const stackBytes = 512 * 1024;
/** Evaluates in a runtime of its own, which is gone afterwards: nothing is left for the next evaluation. */
export function evaluateInSandbox(
  quickjs: QuickJSWASMModule,
  request: WorkerRequest,
  memoryBytes: number,
): WorkerReply {
  const deadline = performance.now() + request.timeoutMs;
  const runtime = quickjs.newRuntime();
  try {
    runtime.setMemoryLimit(memoryBytes);
    runtime.setMaxStackSize(stackBytes);
    runtime.setInterruptHandler(() => performance.now() > deadline);
    const context = runtime.newContext();
    try {
      return run(context, request);
    } finally {
      context.dispose();
    }
  } finally {
    runtime.dispose();
  }
}

function run(context: QuickJSContext, request: WorkerRequest): WorkerReply {
  const stringify = prepare(context, request.globals);
  try {
    for (const [index, code] of request.library.entries()) {
      const result = context.evalCode(`"use strict";${code}`, `expressionLib[${index}]`);
      if (result.error) return toReply(context, result.error, index);
      result.value.dispose();
    }
    const code = request.body ? `(function(){${request.code}\n})()` : `(${request.code}\n)`;
    const result = context.evalCode(`"use strict";${code}`, 'expression');
    if (result.error) return toReply(context, result.error);
    return toJson(context, stringify, result.value);
  } finally {
    stringify.dispose();
  }
}

/**
 * Sets the variables and answers the engine's own JSON.stringify, taken before the document's code could replace it.
 * `console` is there since people use it while they write; it says nothing to anyone.
 */
function prepare(context: QuickJSContext, globals: string): QuickJSHandle {
  const setup = `"use strict";{
    const { inputs, self, runtime } = JSON.parse(${JSON.stringify(globals)});
    const log = () => {};
    Object.assign(globalThis, { inputs, self, runtime, console: { log, info: log, warn: log, error: log, debug: log } });
  } JSON.stringify`;
  return context.unwrapResult(context.evalCode(setup, 'setup'));
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
