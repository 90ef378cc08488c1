import { didYouMean } from '../../core/nearest.ts';
import { bigintText, isWholeFloat, maxLong, minLong } from '../../core/numbers.ts';
import type { CwlType } from '../model.ts';
import { resolvePlain } from '../syntax/scalar.ts';
import type { CwlValue } from '../values.ts';
import { isDirectory, isFile } from '../values.ts';

export interface Mismatch {
  readonly name: string;
  readonly path: readonly (string | number)[];
  readonly type: CwlType;
  readonly value: CwlValue | undefined;
}

/** The first part of `value` that does not fit `type`; nothing, if all does. */
export function findMismatch(
  value: CwlValue | undefined,
  type: CwlType,
  name: string,
  path: readonly (string | number)[] = [],
): Mismatch | undefined {
  if (typeof type === 'string') return fitsPrimitive(value ?? null, type) ? undefined : { name, path, type, value };
  if (isUnion(type)) return findUnionMismatch(value, type, name, path);
  if (type.type === 'enum') {
    return typeof value === 'string' && type.symbols.includes(value) ? undefined : { name, path, type, value };
  }
  if (type.type === 'array') {
    if (!isList(value)) return { name, path, type, value };
    return firstOf(value, (item, index) => findMismatch(item, type.items, `${name}[${index}]`, [...path, index]));
  }
  if (!isRecord(value)) return { name, path, type, value };
  return firstOf(type.fields, (member) =>
    findMismatch(value[member.name] ?? null, member.type, `${name}.${member.name}`, [...path, member.name]),
  );
}

/** The mismatch inside the only member of the kind of the value, if there is one; that says more than the whole union. */
function findUnionMismatch(
  value: CwlValue | undefined,
  types: readonly CwlType[],
  name: string,
  path: readonly (string | number)[],
): Mismatch | undefined {
  const mismatches: Mismatch[] = [];
  for (const type of types) {
    const mismatch = findMismatch(value, type, name, path);
    if (!mismatch) return undefined;
    mismatches.push(mismatch);
  }
  const deeper = mismatches.filter((mismatch) => mismatch.path.length > path.length);
  return deeper.length === 1 ? deeper[0] : { name, path, type: types, value };
}

function firstOf<Item>(
  items: readonly Item[],
  find: (item: Item, index: number) => Mismatch | undefined,
): Mismatch | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found) return found;
  }
  return undefined;
}

const isUnion = (type: CwlType): type is readonly CwlType[] => Array.isArray(type);
const isList = (value: unknown): value is readonly CwlValue[] => Array.isArray(value);
const isRecord = (value: unknown): value is { readonly [field: string]: CwlValue | undefined } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isWhole = (value: CwlValue): value is number | bigint =>
  typeof value === 'bigint' ? !isWholeFloat(value) : Number.isInteger(value);

function fitsPrimitive(value: CwlValue, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'boolean':
    case 'string':
      return typeof value === type;
    case 'int':
      return Number.isInteger(value) && Number(value) >= -2147483648 && Number(value) <= 2147483647;
    case 'long':
      return isWhole(value) && value >= minLong && value <= maxLong;
    case 'float':
    case 'double':
      return typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value));
    case 'File':
      return isFile(value);
    case 'Directory':
      return isDirectory(value);
    default:
      return value !== null && (typeof value !== 'number' || Number.isFinite(value));
  }
}

/** What to write instead, where it is plain what was meant. */
export function mismatchHint({ type, value }: Mismatch): string | undefined {
  const members = isUnion(type) ? type : [type];
  const kind = members.find((member) => member === 'File' || member === 'Directory');
  if (kind !== undefined) {
    if (typeof value === 'string') return `write {class: ${kind}, path: ${JSON.stringify(value)}}`;
    if (isRecord(value) && value.class === undefined) return `add "class: ${kind}"`;
    if (isRecord(value) && typeof value.class === 'string') return didYouMean(value.class, ['File', 'Directory']);
  }
  const isListed = members.some(
    (member) => typeof member === 'object' && 'items' in member && !findMismatch(value, member.items, ''),
  );
  if (isListed) return 'put it in a list: [ … ]';
  if (typeof value === 'string') {
    const plain = resolvePlain(value);
    const isMeant = plain !== value && plain !== null && findMismatch(plain, type, '') === undefined;
    return isMeant ? 'leave out the quotes' : undefined;
  }
  const isScalar = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  return isScalar && members.includes('string') ? 'write it in quotes' : undefined;
}

export function describeValue(value: CwlValue | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (isFile(value)) return 'a File';
  if (isDirectory(value)) return 'a Directory';
  if (isList(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a record';
  if (typeof value === 'bigint') return `the number ${bigintText(value)}`;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return `the ${typeof value} ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`;
}
