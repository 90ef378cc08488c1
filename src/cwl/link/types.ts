import type { CwlType, RecordType } from '../model.ts';

export type Fit = 'fits' | 'may-fit' | 'never-fits';

export const isUnion = (type: CwlType): type is readonly CwlType[] => Array.isArray(type);

export const arrayOf = (items: CwlType): CwlType => ({ type: 'array', items });
export const mayBeNull = (type: CwlType): boolean =>
  membersOf(type).some((member) => member === 'null' || member === 'Any');
export const membersOf = (type: CwlType): readonly CwlType[] => (isUnion(type) ? type : [type]);

export const withNull = (type: CwlType): CwlType => (mayBeNull(type) ? type : ['null', ...membersOf(type)]);

export function withoutNull(type: CwlType): CwlType {
  const rest = membersOf(type).filter((member) => member !== 'null');
  return rest.length === 1 && rest[0] !== undefined ? rest[0] : rest;
}

/** Whether values of `source` are always, sometimes or never values of `sink`. */
export function fitOf(source: CwlType, sink: CwlType): Fit {
  if (everyFits(source, sink)) return 'fits';
  return someFits(source, sink) ? 'may-fit' : 'never-fits';
}

const everyFits = (source: CwlType, sink: CwlType): boolean =>
  membersOf(source).every((member) => memberFits(member, sink, everyFits));

const someFits = (source: CwlType, sink: CwlType): boolean => {
  const members = membersOf(source).filter((member) => member !== 'null');
  return (members.length === 0 ? membersOf(source) : members).some((member) => memberFits(member, sink, someFits));
};

const memberFits = (source: CwlType, sink: CwlType, inner: (source: CwlType, sink: CwlType) => boolean): boolean =>
  source === 'Any' || membersOf(sink).some((member) => oneFits(source, member, inner));

function oneFits(source: CwlType, sink: CwlType, inner: (source: CwlType, sink: CwlType) => boolean): boolean {
  if (sink === 'Any') return true;
  if (typeof source === 'string' || typeof sink === 'string') return source === sink || widens(source, sink);
  if (isUnion(source) || isUnion(sink)) return inner(source, sink);
  if (source.type === 'array' && sink.type === 'array')
    return isEmptyArray(source.items) || inner(source.items, sink.items);
  if (source.type === 'record' && sink.type === 'record') return recordFits(source, sink, inner);
  return (
    source.type === 'enum' && sink.type === 'enum' && source.symbols.some((symbol) => sink.symbols.includes(symbol))
  );
}

const isEmptyArray = (items: CwlType): boolean => isUnion(items) && items.length === 0;

/** Values of the first are values of the second, though the names differ: they are numbers of the same kind, or text. */
const widening: ReadonlyMap<unknown, readonly unknown[]> = new Map<unknown, readonly unknown[]>([
  ['int', ['long', 'float', 'double']],
  ['long', ['int', 'float', 'double']],
  ['float', ['double']],
  ['double', ['float']],
]);

function widens(source: CwlType, sink: CwlType): boolean {
  if (typeof source === 'object' && !isUnion(source)) return source.type === 'enum' && sink === 'string';
  return widening.get(source)?.includes(sink) ?? false;
}

function recordFits(source: RecordType, sink: RecordType, inner: (source: CwlType, sink: CwlType) => boolean): boolean {
  const types = new Map(source.fields.map((field) => [field.name, field.type]));
  return sink.fields.every((field) => inner(types.get(field.name) ?? 'null', field.type));
}

/** The type as people write it. */
export function typeText(type: CwlType): string {
  if (typeof type === 'string') return type;
  if (isUnion(type)) {
    const rest = type.filter((member) => member !== 'null');
    const [only] = rest;
    if (rest.length === 1 && rest.length < type.length && only !== undefined) return `${typeText(only)}?`;
    return `[${type.map(typeText).join(', ')}]`;
  }
  if (type.type === 'array')
    return isUnion(type.items) ? `array of ${typeText(type.items)}` : `${typeText(type.items)}[]`;
  if (type.type === 'enum')
    return `enum(${type.symbols.slice(0, 5).join(', ')}${type.symbols.length > 5 ? ', …' : ''})`;
  return type.name ?? `record(${type.fields.map((field) => field.name).join(', ')})`;
}

export const isArray = (type: CwlType): boolean => typeof type === 'object' && 'type' in type && type.type === 'array';
/** The type itself where it is no array. */
export const itemsOfArray = (type: CwlType): CwlType =>
  typeof type === 'object' && 'items' in type ? type.items : type;
