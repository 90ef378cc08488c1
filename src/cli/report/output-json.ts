import type { JsonValue } from '../../core/json.ts';
import { formatNumber } from '../../job/tool/command-arguments.ts';

/**
 * The output object as it is printed, in pieces: that of a large Directory may be longer than a string can be. Numbers have no
 * exponent: readers that tell integers from floats would take `1e+42` for a float, which is not the integer that the document wrote.
 */
export function* formatOutputs(value: JsonValue): Generator<string> {
  let piece = '';
  for (const token of tokens(value, '')) {
    piece += token;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}\n`;
}

const pieceLength = 64 * 1024;

function* tokens(value: JsonValue, indent: string): Generator<string> {
  if (typeof value === 'number') yield formatNumber(value);
  else if (typeof value !== 'object' || value === null) yield JSON.stringify(value);
  else yield* members(value, indent);
}

function* members(value: JsonValue & object, indent: string): Generator<string> {
  const isList = Array.isArray(value);
  const [open, close] = isList ? '[]' : '{}';
  const inner = `${indent}    `;
  let before = `${open}\n${inner}`;
  for (const key of isList ? value.keys() : Object.keys(value)) {
    yield isList ? before : `${before}${JSON.stringify(key)}: `;
    yield* tokens((value as Record<string, JsonValue>)[key] as JsonValue, inner);
    before = `,\n${inner}`;
  }
  yield before.startsWith(',') ? `\n${indent}${close}` : `${open}${close}`;
}
