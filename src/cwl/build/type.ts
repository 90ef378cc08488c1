import { didYouMean } from '../../core/nearest.ts';
import { checkRecord, isBefore } from '../check.ts';
import { isUnion } from '../link/types.ts';
import type { ArrayType, CwlType, EnumType, PrimitiveType, RecordField, RecordType } from '../model.ts';
import { arraySchema, enumSchema, recordSchema } from '../schema/process.ts';
import { booleanOf, describe, field, itemsOf, type MapNode, type Node, stringOf } from '../syntax/node.ts';
import { fragmentOf, resolveUri, shortName, vocabularyName } from '../syntax/uri.ts';
import { readCommandLineBinding, readLoadListing, readOutputBinding } from './binding.ts';
import type { BuildContext } from './context.ts';
import { checkUnique, documentation, readFormats, readItems, readSecondaryFiles } from './read.ts';

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'File', 'Directory', 'Any'] as const;
type NamedType = PrimitiveType | 'File' | 'Directory' | 'Any';
const isNamedType = (name: string): name is NamedType => (primitives as readonly string[]).includes(name);

/** Type of a parameter, every name in it replaced by what it stands for. What cannot be read is reported and becomes `Any`. */
export function readType(node: Node | undefined, context: BuildContext): CwlType {
  if (node === undefined) return 'Any';
  if (node.kind === 'list') return readUnion(node.items, node, context);
  if (node.kind === 'map') return readSchema(node, context);
  if (typeof node.value === 'string') return readShorthand(node.value, node, context);
  context.problems.error('wrong-type', node, `expected a type, got ${describe(node)}`);
  return 'Any';
}

function readUnion(items: readonly Node[], node: Node, context: BuildContext): CwlType {
  if (items.length === 0) context.problems.error('wrong-type', node, 'expected a type, got an empty list');
  return unionOf(items.map((item) => readType(item, context)));
}

/** A flat union without repetitions; of one member, the member. */
function unionOf(types: readonly CwlType[]): CwlType {
  const flat = types.flatMap((type): readonly CwlType[] => (isUnion(type) ? type : [type]));
  const unique = flat.filter((type, index) => flat.indexOf(type) === index);
  return unique.length === 1 && unique[0] !== undefined ? unique[0] : unique;
}

/** `File[]?` (Schema Salad, "Domain Specific Language for types"). */
function readShorthand(text: string, node: Node, context: BuildContext): CwlType {
  const [, name = '', arrays = '', option = ''] = /^(.*?)((?:\[\])*)(\??)$/s.exec(text) ?? [];
  if (arrays.length > 2 && isBefore(context.version, 'v1.3')) {
    const message = `the short form ${JSON.stringify(text)} is not in CWL ${context.version}: other runners refuse it`;
    context.problems.warn('version', node, message, 'write {type: array, items: {type: array, items: …}}');
  }
  let type = readNamed(name, node, context);
  for (let depth = arrays.length / 2; depth > 0; depth -= 1) type = { type: 'array', items: type };
  return option === '?' ? unionOf(['null', type]) : type;
}

function readNamed(text: string, node: Node, context: BuildContext): CwlType {
  const name = vocabularyName(text, context.namespaces);
  if (isNamedType(name)) return name;
  const absolute = text.includes('#') ? resolveUri(node.source.uri, text) : undefined;
  const found = (absolute !== undefined && context.types.find(absolute)) || context.types.find(shortName(text));
  if (found) return found;
  const names = [...primitives, ...context.types.names().filter((other) => !other.includes('#'))];
  context.problems.error('unknown-type', node, `unknown type ${JSON.stringify(text)}`, typeHint(text, names));
  return 'Any';
}

function typeHint(text: string, names: readonly string[]): string {
  if (text === 'stdout' || text === 'stderr' || text === 'stdin')
    return `${text} is a type only of a CommandLineTool's own ${text === 'stdin' ? 'inputs' : 'outputs'}`;
  if (text === 'array' || text === 'record' || text === 'enum') return `write a mapping with "type: ${text}"`;
  return didYouMean(text, [...names, 'stdout', 'stderr', 'stdin']) ?? `expected one of ${names.join(', ')}`;
}

function readSchema(node: MapNode, context: BuildContext): CwlType {
  const kindNode = field(node, 'type');
  const kind = vocabularyName(stringOf(kindNode) ?? '', context.namespaces);
  switch (kind) {
    case 'array':
      return readArray(node, context);
    case 'record':
      return readRecord(node, context);
    case 'enum':
      return readEnum(node, context);
  }
  const kinds = ['array', 'record', 'enum'];
  const got = kindNode ? describe(kindNode) : 'none';
  const hint = didYouMean(kind, kinds) ?? (isNamedType(kind) ? `write the type as ${kind} alone` : undefined);
  context.problems.error(
    'wrong-type',
    kindNode ?? node,
    `a type written as a mapping needs "type: array", "record" or "enum", got ${got}`,
    hint,
  );
  return 'Any';
}

function common(node: MapNode, _context: BuildContext) {
  const name = stringOf(field(node, 'name'));
  const { label } = documentation(node);
  const inputBinding = readCommandLineBinding(field(node, 'inputBinding'));
  return {
    ...(name !== undefined && { name: shortName(name) }),
    ...(label !== undefined && { label }),
    ...(inputBinding && { inputBinding }),
  };
}

function readArray(node: MapNode, context: BuildContext): ArrayType {
  checkRecord(node, arraySchema, context);
  return { type: 'array', items: readType(field(node, 'items'), context), ...common(node, context) };
}

function readRecord(node: MapNode, context: BuildContext): RecordType {
  checkRecord(node, recordSchema, context);
  const items = readItems(field(node, 'fields'), 'name', 'type');
  checkUnique(items, 'field', context);
  return {
    type: 'record',
    fields: items.map(({ id, node: item }) => readRecordField(id, item, context)),
    ...common(node, context),
  };
}

function readRecordField(name: string, node: Node, context: BuildContext): RecordField {
  const inputBinding = readCommandLineBinding(field(node, 'inputBinding'));
  const outputBinding = readOutputBinding(field(node, 'outputBinding'));
  const loadListing = readLoadListing(field(node, 'loadListing'));
  return {
    name,
    type: readType(field(node, 'type'), context),
    ...documentation(node),
    ...(inputBinding && { inputBinding }),
    ...(outputBinding && { outputBinding }),
    secondaryFiles: readSecondaryFiles(field(node, 'secondaryFiles'), context),
    format: readFormats(field(node, 'format'), context),
    loadContents: booleanOf(field(node, 'loadContents')) ?? false,
    ...(loadListing && { loadListing }),
  };
}

function readEnum(node: MapNode, context: BuildContext): EnumType {
  checkRecord(node, enumSchema, context);
  const symbols = itemsOf(field(node, 'symbols')).flatMap((item) => {
    const symbol = stringOf(item);
    return symbol === undefined ? [] : [symbol.includes('#') ? shortName(symbol) : symbol];
  });
  return { type: 'enum', symbols, ...common(node, context) };
}

/** Makes the types of a SchemaDefRequirement known by name. Each is read when first used, or by the call that is returned. */
export function defineTypes(node: Node | undefined, context: BuildContext): () => void {
  const reads = itemsOf(node)
    .flatMap((item) => (item.kind === 'list' ? item.items : [item]))
    .map((item) => {
      const name = stringOf(field(item, 'name'));
      const read = once(item, context);
      if (name === undefined)
        context.problems.error('missing-field', item, 'a type of SchemaDefRequirement needs the field "name"');
      else {
        const local = name.includes('#') ? fragmentOf(name) : name;
        context.types.define(`${item.source.uri}#${local}`, read);
        if (context.scope !== '') context.types.define(`${item.source.uri}#${context.scope}/${local}`, read);
        context.types.define(shortName(name), read);
      }
      return read;
    });
  return () => {
    for (const read of reads) read();
  };
}

function once(node: Node, context: BuildContext): () => CwlType {
  let type: CwlType | undefined;
  let reading = false;
  return () => {
    if (type !== undefined) return type;
    if (reading) {
      context.problems.error('cycle', node, 'a type cannot contain itself');
      return 'Any';
    }
    reading = true;
    type = readType(node, context);
    reading = false;
    return type;
  };
}
