import { Script } from 'node:vm';
import { toMessage } from '../../core/errors.ts';
import { parseReference } from './reference.ts';
import { nextToken } from './scan.ts';

/** The JavaScript of a text that may hold expressions, `(…)` or `{…}` each: what is no parameter reference. */
export function scriptsIn(text: string): readonly string[] {
  const scripts: string[] = [];
  for (let token = nextToken(text, 0); token; token = nextToken(text, token.end)) {
    if (token.kind === 'escape') continue;
    const code = text.slice(token.start + 1, token.end);
    if (code.startsWith('{') || parseReference(code.slice(1, -1)) === undefined) scripts.push(code);
  }
  return scripts;
}

/** Why `code` is no JavaScript; undefined where it is. It is compiled, never run. */
export function findSyntaxError(code: string): string | undefined {
  try {
    new Script(code.startsWith('{') ? `(function () ${code})` : `(${code.slice(1, -1)}\n)`);
    return undefined;
  } catch (error) {
    return toMessage(error);
  }
}
