import { runInNewContext } from 'node:vm';
import type { JsonValue } from '../../src/core/json.ts';
import { cwlError } from '../../src/cwl/errors.ts';
import type { JsEngine } from '../../src/cwl/port.ts';

/** Evaluates in this very process: for trusted tests only. Limits time, not memory. */
export function createFakeJsEngine(): JsEngine {
  return {
    async evaluate({ code, body, globals, library, timeoutMs }) {
      const source = body ? `(function(){${code}\n})()` : `(${code}\n)`;
      const script = [...library, `JSON.stringify(${source})`].join('\n;');
      try {
        const json: unknown = runInNewContext(script, structuredClone({ ...globals }), { timeout: timeoutMs });
        return typeof json === 'string' ? (JSON.parse(json, refuseProto) as JsonValue) : null;
      } catch (error) {
        const { code: reason, message, name } = error as NodeJS.ErrnoException;
        if (reason === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
          throw cwlError('cwl/expression-limit', 'it ran longer than allowed');
        throw cwlError('cwl/expression-failed', `expression failed: ${name}: ${message}`);
      }
    },
    async close() {},
  };
}

function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new Error('the value has the key "__proto__"');
  return value;
}
