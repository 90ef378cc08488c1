import type { JsonValue } from '../core/json.ts';
import { formatNumber } from '../job/command-arguments.ts';

/**
 * The output object as it is printed. Numbers have no exponent: readers that tell integers from floats would take `1e+42` for a
 * float, which is not the integer that the document wrote.
 */
export function formatOutputs(value: JsonValue, indent = ''): string {
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}    `;
  const isList = Array.isArray(value);
  const items = isList
    ? (value as readonly JsonValue[]).map((item) => formatOutputs(item, inner))
    : Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}: ${formatOutputs(field, inner)}`);
  const [open, close] = isList ? '[]' : '{}';
  if (items.length === 0) return `${open}${close}`;
  return `${open}\n${items.map((item) => inner + item).join(',\n')}\n${indent}${close}`;
}
