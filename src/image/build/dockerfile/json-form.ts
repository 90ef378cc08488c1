import { imageError } from '../../errors.ts';
import type { InstructionLine } from './lines.ts';

/** A JSON array of strings; undefined for what is no JSON array at all, which is shell form. */
export function parseJsonForm({ keyword, rest }: Pick<InstructionLine, 'keyword' | 'rest'>): string[] | undefined {
  if (!rest.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(rest);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  if (value.every((word) => typeof word === 'string')) return value;
  throw imageError('image/bad-dockerfile', `expected only strings in the JSON array of ${keyword}, got ${rest}`);
}
