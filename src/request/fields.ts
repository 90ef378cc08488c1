import type { JsonValue } from '../core/json.ts';
import { toNumber } from '../core/numbers.ts';
import type { EffectiveRequirement } from '../job/model.ts';
import { requestError } from './errors.ts';

/** Typed access to the fields of a requirement. Each fails with `request/bad-requirement` on a value of another type. */
export function numberField(entry: EffectiveRequirement, name: string): number | undefined {
  const value = toNumber(entry.fields[name]);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw badField(entry, name, 'a number that is not negative', entry.fields[name]);
}

export function booleanField(entry: EffectiveRequirement, name: string): boolean | undefined {
  const value = entry.fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  throw badField(entry, name, 'true or false', value);
}

export function stringField(entry: EffectiveRequirement, name: string): string | undefined {
  const value = entry.fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw badField(entry, name, 'a string', value);
}

/** A string or a list of them, as a list. */
export function stringsField(entry: EffectiveRequirement, name: string): readonly string[] {
  const value = entry.fields[name];
  if (value === undefined || value === null) return [];
  const items: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  if (items.every((item) => typeof item === 'string')) return items as readonly string[];
  throw badField(entry, name, 'a string or a list of strings', value);
}

/** Objects of a list. */
export function objectsField(
  entry: EffectiveRequirement,
  name: string,
): readonly { readonly [key: string]: JsonValue }[] {
  const value = entry.fields[name] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null)) return value;
  throw badField(entry, name, 'a list of objects', value);
}

function badField(entry: EffectiveRequirement, name: string, expected: string, value: unknown) {
  const short = entry.class.replace(/^.*#/, '');
  return requestError(
    'request/bad-requirement',
    `${short}.${name}: expected ${expected}, got ${JSON.stringify(value)}`,
    {
      hint: 'correct the value, or the expression that gives it',
      where: entry.position,
    },
  );
}
