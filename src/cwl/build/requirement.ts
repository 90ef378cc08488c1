import type { JsonValue } from '../../core/json.ts';
import { didYouMean } from '../../core/nearest.ts';
import { checkRecord, isBefore } from '../check.ts';
import type { Requirement } from '../model.ts';
import { type RequirementShape, renamedRequirements, requirementShapes } from '../schema/requirement.ts';
import type { MapShape, Shape } from '../schema/shape.ts';
import {
  describe,
  field,
  itemsOf,
  keySpan,
  type MapEntry,
  type MapNode,
  type Node,
  positionOf,
  type Span,
  stringOf,
} from '../syntax/node.ts';
import { expandPrefix, resolveUri, shortName, vocabularyName } from '../syntax/uri.ts';
import type { BuildContext } from './context.ts';
import { refuseLocalFiles, refuseReference } from './local-file.ts';
import { readItems, strings } from './read.ts';
import { toFieldValue } from './value.ts';

/** Fields that may name a file of the host as text: of DockerRequirement, and of hm:ImageBuild. */
const hostReferences = ['dockerLoad', 'dockerImport', 'context'];

interface Written {
  readonly name: string;
  readonly span: Span;
  readonly node: MapNode;
}

/** The requirements or hints of a process or step, checked, in normal form. */
export function readRequirements(
  node: Node | undefined,
  isHint: boolean,
  context: BuildContext,
): readonly Requirement[] {
  const written = readWritten(node, isHint, context);
  return written.flatMap((item) => readRequirement(item, isHint, context) ?? []);
}

/** The node of a requirement's field, before the requirement is read. */
export function requirementField(node: Node | undefined, name: string, key: string): Node | undefined {
  if (node?.kind === 'map') return field(node.entries.get(name)?.value, key);
  return field(
    itemsOf(node).find((item) => stringOf(field(item, 'class')) === name),
    key,
  );
}

function readWritten(node: Node | undefined, isHint: boolean, context: BuildContext): readonly Written[] {
  const { problems } = context;
  if (node?.kind === 'map') {
    return [...node.entries.values()].map((entry) => ({
      name: entry.key,
      span: keySpan(entry),
      node: mapOf(entry, context),
    }));
  }
  if (node?.kind === 'scalar' && node.value !== null) {
    problems.error('wrong-type', node, `expected a list or a mapping of requirements, got ${describe(node)}`);
  }
  return itemsOf(node?.kind === 'list' ? node : undefined).flatMap((item) => {
    const name = stringOf(field(item, 'class'));
    if (item.kind === 'map' && name !== undefined) return [{ name, span: field(item, 'class') ?? item, node: item }];
    const what = isHint ? 'hint' : 'requirement';
    problems.error('missing-field', item, `a ${what} needs the field "class", got ${describe(item)}`);
    return [];
  });
}

function mapOf(entry: MapEntry, context: BuildContext): MapNode {
  const { value } = entry;
  if (value.kind === 'map') return value;
  if (!(value.kind === 'scalar' && value.value === null)) {
    context.problems.error(
      'wrong-type',
      value,
      `expected a mapping of the fields of ${entry.key}, got ${describe(value)}`,
    );
  }
  return { kind: 'map', source: value.source, start: value.start, end: value.end, entries: new Map() };
}

function readRequirement(written: Written, isHint: boolean, context: BuildContext): Requirement | undefined {
  const namespaces = { ...context.namespaces, ...written.span.source.namespaces };
  const full = vocabularyName(written.name, namespaces);
  const name = renamedRequirements.get(full) ?? full;
  const shape = requirementShapes.get(name);
  if (!shape) return reportUnknown(name, written, isHint, context);
  const isRenamed = name !== full;
  if (shape.since !== undefined && !isRenamed && isBefore(context.version, shape.since)) {
    const message = `${name} is not in CWL ${context.version}`;
    const hint = `set cwlVersion to ${shape.since} or later`;
    if (isHint) context.problems.warn('version', written.span, message, hint);
    else context.problems.error('version', written.span, message, hint);
  }
  checkRecord(
    written.node,
    { name, fields: { ...shape.fields, class: { shape: 'string' } } },
    { ...context, namespaces },
  );
  refuseLocalFiles(written.node, context);
  for (const key of hostReferences) refuseReference(field(written.node, key), resolveUri, context);
  return { class: name, fields: fieldsOf(written.node, shape, namespaces), position: positionOf(written.span) };
}

function reportUnknown(
  name: string,
  { span, node }: Written,
  isHint: boolean,
  context: BuildContext,
): Requirement | undefined {
  const hint = didYouMean(name, requirementShapes.keys());
  if (isHint) {
    context.problems.warn('unknown-class', span, `unknown hint ${JSON.stringify(name)} is ignored`, hint);
    return { class: name, fields: fieldsOf(node, { fields: {} }, context.namespaces), position: positionOf(span) };
  }
  if (hint === undefined || name.includes(':')) {
    context.problems.error(
      'unsupported-requirement',
      span,
      `requirement ${JSON.stringify(name)} is not supported`,
      hint ?? 'as a hint it would be ignored',
    );
  } else context.problems.error('unknown-class', span, `unknown requirement ${JSON.stringify(name)}`, hint);
  return undefined;
}

function fieldsOf(
  node: MapNode,
  shape: RequirementShape,
  namespaces: Readonly<Record<string, string>>,
): { readonly [field: string]: JsonValue } {
  const result: Record<string, JsonValue> = {};
  for (const [key, { value }] of node.entries) {
    if (key === 'class') continue;
    const name = key.includes(':') ? expandPrefix(key, namespaces) : key;
    const fieldShape = shape.fields[name]?.shape;
    result[name] = normalField(name, value, fieldShape);
  }
  return result;
}

function normalField(name: string, value: Node, shape: Shape | undefined): JsonValue {
  if (isMapShape(shape)) return listOf(value, shape);
  // Types are in place wherever they are named; secrets name inputs.
  if (name === 'types') return [];
  return name === 'secrets' ? strings(value).map(shortName) : toFieldValue(value);
}

const isMapShape = (shape: unknown): shape is MapShape =>
  typeof shape === 'object' && shape !== null && 'item' in shape;

/** An identifier map as the list that it stands for. */
function listOf(node: Node, { subject, predicate }: MapShape): JsonValue {
  if (node.kind !== 'map') return toFieldValue(node);
  const keys = [...node.entries.keys()];
  return readItems(node, subject, predicate).map(({ id, node: item }, index) => {
    const key = keys[index] ?? id;
    const rest = toFieldValue(item);
    return { [subject]: key, ...(typeof rest === 'object' && rest !== null && !Array.isArray(rest) ? rest : {}) };
  });
}
