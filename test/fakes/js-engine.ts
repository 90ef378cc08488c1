import type { JsonValue } from '../../src/core/json.ts';
import { cwlError } from '../../src/cwl/errors.ts';
import type { JsEngine } from '../../src/cwl/port.ts';

/** Runs expressions in the realm of the test itself: for trusted documents of tests only. */
export function createFakeJsEngine(): JsEngine {
  return {
    async evaluate({ code, body, globals, library }) {
      const source = `${library.join('\n')}\n${body ? code : `return (${code}\n);`}`;
      try {
        const run = new Function('inputs', 'self', 'runtime', source) as (...values: JsonValue[]) => unknown;
        const { inputs, self, runtime } = structuredClone(globals);
        return JSON.parse(JSON.stringify(run(inputs, self, runtime) ?? null)) as JsonValue;
      } catch (error) {
        throw cwlError('cwl/expression-failed', String(error), { cause: error });
      }
    },
    async close() {},
  };
}
