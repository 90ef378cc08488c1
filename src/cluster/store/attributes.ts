import { apiError } from '../../api/errors.ts';
import type { Resource } from '../../api/records.ts';
import { isJsonObject, toCanonicalJson } from '../../core/json.ts';
import { parseJson, toNumber } from '../../core/numbers.ts';
import type { SqlValue } from './database.ts';
import { type Attribute, type AttributeKind, schemas } from './schema.ts';
import { toStoredTime } from './time.ts';

export type Attributes = Readonly<Record<string, unknown>>;

const shapes: Readonly<Record<AttributeKind, string>> = {
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'true or false',
  time: 'an RFC 3339 time',
  array: 'an array',
  hash: 'an object',
};

/**
 * What a client gave, checked against the schema, without the attributes it left out. An attribute of the cluster may be
 * given only as it is in `current`, so that a client can send back a whole record.
 */
export function checkAttributes(
  resource: Resource,
  given: Attributes,
  current: (name: string) => unknown = () => undefined,
): Record<string, unknown> {
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const attribute = findAttribute(resource, name);
    checkKind(resource, name, attribute, value);
    const kept = toKept(attribute, value);
    if (!attribute.readOnly) checked[name] = kept;
    else if (!isSame(kept, current(name) ?? null)) {
      throw apiError('api/forbidden-change', `${resource}: ${name} is set by the cluster, got ${show(value)}`, {
        hint: 'leave it out',
        where: { field: name },
      });
    }
  }
  return checked;
}

export function findAttribute(resource: Resource, name: string): Attribute {
  const attribute = Object.hasOwn(schemas[resource].attributes, name) ? schemas[resource].attributes[name] : undefined;
  if (attribute) return attribute;
  const names = Object.keys(schemas[resource].attributes).join(', ');
  throw apiError('api/bad-attribute', `${resource} has no attribute ${JSON.stringify(name)}`, {
    hint: `it has: ${names}`,
    where: { field: name },
  });
}

function checkKind(resource: Resource, name: string, attribute: Attribute, value: unknown): void {
  if (value === null ? attribute.nullable : isOfKind(attribute.kind, value)) return;
  const expected = `${shapes[attribute.kind]}${attribute.nullable ? ' or null' : ''}`;
  throw apiError('api/bad-attribute', `${resource}: expected ${name} to be ${expected}, got ${show(value)}`, {
    where: { field: name },
  });
}

function isOfKind(kind: AttributeKind, value: unknown): boolean {
  switch (kind) {
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return Number.isSafeInteger(toNumber(value));
    case 'number':
      return Number.isFinite(toNumber(value));
    case 'boolean':
      return typeof value === 'boolean';
    case 'time':
      return typeof value === 'string' && toStoredTime(value) !== undefined;
    case 'array':
      return Array.isArray(value);
    case 'hash':
      return isJsonObject(value);
  }
}

/** An amount is a number, however it is written; numbers inside other arrays and objects are kept as they are written. */
function toKept({ kind, amounts }: Attribute, value: unknown): unknown {
  if (kind === 'time') return typeof value === 'string' ? (toStoredTime(value) ?? null) : null;
  if (kind === 'integer' || kind === 'number') return toNumber(value);
  if (!amounts || !isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, amount]) => [name, toNumber(amount)]));
}

const isSame = (a: unknown, b: unknown) => a === b || toCanonicalJson(a) === toCanonicalJson(b);

/** A value for a message: short, on one line. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** A value as its column holds it. */
export function encode(attribute: Attribute, value: unknown): SqlValue {
  if (value === null || value === undefined) return null;
  if (attribute.kind === 'array' || attribute.kind === 'hash') return JSON.stringify(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value as number | string;
}

/** A column's value as the record holds it. */
export function decode(attribute: Attribute, value: SqlValue | undefined): unknown {
  if (attribute.writeOnly) return {};
  if (value === null || value === undefined) return null;
  if (attribute.kind === 'boolean') return value === 1;
  if (attribute.kind !== 'array' && attribute.kind !== 'hash') return value;
  if (value === '{}') return {};
  return value === '[]' ? [] : parseJson(value as string);
}
