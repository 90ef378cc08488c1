import { didYouMean } from '../../core/nearest.ts';
import { bigintText, isWholeFloat, maxLong, minLong } from '../../core/numbers.ts';
import { isUnion } from '../link/types.ts';
import type { CwlType } from '../model.ts';
import { type Node, sourceText } from '../syntax/node.ts';
import { isIntegerText, resolvePlain } from '../syntax/scalar.ts';
import type { CwlValue } from '../values.ts';
import { isDirectory, isFile } from '../values.ts';
import { itemOf, memberOf, type Place, placeOf } from './place.ts';

export interface Mismatch extends Place {
  readonly type: CwlType;
  readonly value: CwlValue | undefined;
}

/** The first part of `value` that does not fit `type`; nothing, if all does. */
export const findMismatch = (
  value: CwlValue | undefined,
  type: CwlType,
  name: string,
  node?: Node,
): Mismatch | undefined => find(value, type, placeOf(name, node));

function find(value: CwlValue | undefined, type: CwlType, place: Place): Mismatch | undefined {
  if (typeof type === 'string')
    return fitsPrimitive(value ?? null, type, place) ? undefined : { ...place, type, value };
  if (isUnion(type)) return findUnionMismatch(value, type, place);
  if (type.type === 'enum') {
    return typeof value === 'string' && type.symbols.includes(value) ? undefined : { ...place, type, value };
  }
  if (type.type === 'array') {
    if (!isList(value)) return { ...place, type, value };
    return firstOf(value, (item, index) => find(item, type.items, itemOf(place, index)));
  }
  if (!isRecord(value)) return { ...place, type, value };
  return firstOf(type.fields, ({ name, type: inner }) => find(value[name] ?? null, inner, memberOf(place, name)));
}

/** The mismatch inside the only member of the kind of the value, if there is one; that says more than the whole union. */
function findUnionMismatch(value: CwlValue | undefined, types: readonly CwlType[], place: Place): Mismatch | undefined {
  const mismatches: Mismatch[] = [];
  for (const type of types) {
    const mismatch = find(value, type, place);
    if (!mismatch) return undefined;
    mismatches.push(mismatch);
  }
  const deeper = mismatches.filter(({ depth }) => depth > place.depth);
  return deeper.length === 1 ? deeper[0] : { ...place, type: types, value };
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

const isList = (value: unknown): value is readonly CwlValue[] => Array.isArray(value);
const isRecord = (value: unknown): value is { readonly [field: string]: CwlValue | undefined } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isWhole = (value: CwlValue): value is number | bigint =>
  typeof value === 'bigint' ? !isWholeFloat(value) : Number.isInteger(value);

/** Its text, where it was written as a float: `1e3` is one, though its value is that of an integer. */
function floatText(node: Node | undefined): string | undefined {
  if (node?.kind !== 'scalar' || typeof node.value !== 'number') return undefined;
  const text = sourceText(node);
  return isIntegerText(text) ? undefined : text;
}

function fitsPrimitive(value: CwlValue, type: string, place: Place): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'boolean':
    case 'string':
      return typeof value === type;
    case 'int':
      return fitsPrimitive(value, 'long', place) && Number(value) >= -2147483648 && Number(value) <= 2147483647;
    case 'long':
      return isWhole(value) && value >= minLong && value <= maxLong && floatText(place.node) === undefined;
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
export function mismatchHint({ type, value, node }: Mismatch): string | undefined {
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
  if (isList(value)) {
    const [only] = value.length === 1 ? value : [];
    return only === undefined || findMismatch(only, type, '') ? undefined : 'take it out of the list';
  }
  if (typeof value === 'string') {
    const symbols = members.flatMap((member) =>
      typeof member === 'object' && 'symbols' in member ? member.symbols : [],
    );
    if (symbols.length > 0) return didYouMean(value, symbols);
    const text = value.replaceAll('_', '');
    const plain = resolvePlain(text);
    if (plain === text || plain === null || findMismatch(plain, type, '')) return undefined;
    return text === value ? 'leave out the quotes' : `write ${text}`;
  }
  const isInteger = members.includes('int') || members.includes('long');
  if (isInteger && Number.isSafeInteger(Number(value)) && floatText(node) !== undefined)
    return `write ${Number(value)}: with a point or an exponent it is a float`;
  const isScalar = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  return isScalar && members.includes('string') ? 'write it in quotes' : undefined;
}

/** `node`: the text that it was read from, where there is one. */
export function describeValue(value: CwlValue | undefined, node?: Node): string {
  if (value === undefined || value === null) return 'null';
  if (isFile(value)) return 'a File';
  if (isDirectory(value)) return 'a Directory';
  if (isList(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a record';
  const text = floatText(node);
  if (text !== undefined) return `the number ${text}`;
  if (typeof value === 'bigint') return `the number ${bigintText(value)}`;
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return `the ${typeof value} ${shown.length > 60 ? `${shown.slice(0, 57)}...` : shown}`;
}
