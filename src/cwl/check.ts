import { didYouMean, nearest } from '../core/nearest.ts';
import { findUnclosed, hasExpression, shorten } from './expression/scan.ts';
import { findSyntaxError, scriptsIn } from './expression/syntax.ts';
import type { Problems } from './problems.ts';
import type { Atom, EnumShape, ListShape, MapShape, RecordShape, Shape } from './schema/shape.ts';
import { describe, keySpan, type MapNode, type Node, type ScalarNode, sourceText, stringOf } from './syntax/node.ts';
import { isIntegerText } from './syntax/scalar.ts';
import { expandPrefix } from './syntax/uri.ts';

export interface CheckContext {
  readonly problems: Problems;
  /** Of the document being read: fields of later versions are refused. */
  readonly version: string;
  readonly namespaces: Readonly<Record<string, string>>;
  /** False: unknown fields are warnings. */
  readonly strict: boolean;
  /** Where JavaScript stands in the process being read; filled on the way. */
  readonly scripts: Node[];
}

/** Reports every way in which `node` differs from `shape`. */
function checkShape(node: Node, shape: Shape, context: CheckContext): void {
  if (typeof shape === 'string') checkAtom(node, shape, context);
  else if (isUnion(shape)) checkUnion(node, shape, context);
  else if ('list' in shape) checkList(node, shape, context);
  else if ('oneOf' in shape) checkEnum(node, shape, context);
  else if ('versioned' in shape) checkUnion(node, [shape], context);
  else if ('item' in shape) checkMap(node, shape, context);
  else checkRecord(node, shape, context);
}

const isUnion = (shape: Shape): shape is readonly Shape[] => Array.isArray(shape);

function checkAtom(node: Node, atom: Atom, context: CheckContext): void {
  if (fits(node, atom)) {
    if (atom === 'expression') checkExpression(node, context);
    return;
  }
  const message = `expected ${describeShape(atom)}, got ${describe(node)}`;
  context.problems.error('wrong-type', node, message, atomHint(node, atom));
}

/** JavaScript is run in its sandbox only; here it is asked whether it ends, and whether it is any. */
function checkExpression(node: Node, { problems, scripts }: CheckContext): void {
  const text = stringOf(node);
  if (text === undefined || !hasExpression(text)) return;
  const problem = findUnclosed(text);
  if (problem !== undefined) {
    problems.error('bad-value', node, problem, 'close it, or write a "$(" that is none as \\$(');
    return;
  }
  for (const code of scriptsIn(text)) {
    scripts.push(node);
    const wrong = findSyntaxError(code);
    if (wrong !== undefined)
      problems.warn('expression', node, `"$${shorten(code)}" is no JavaScript: ${wrong}`, shellHint);
  }
}

const shellHint = 'correct it, or write what is for a shell as "\\$(", "\\${"';

function atomHint(node: Node, atom: Atom): string | undefined {
  if (node.kind !== 'scalar' || node.value === null) return undefined;
  if (atom === 'string') return `write it in quotes: "${sourceText(node)}"`;
  return atom === 'expression' && typeof node.value === 'string' ? 'write it as $(…)' : undefined;
}

function fits(node: Node, atom: Atom): boolean {
  const value = node.kind === 'scalar' ? node.value : undefined;
  switch (atom) {
    case 'any':
      return true;
    case 'null':
      return value === null;
    case 'string':
    case 'boolean':
    case 'number':
      return typeof value === atom;
    case 'int':
      return node.kind === 'scalar' && typeof value === 'number' && isIntegerText(sourceText(node));
    case 'expression':
      return typeof value === 'string' && (value.includes('$(') || value.includes('${'));
    case 'type':
      return value !== null;
    case 'process':
      return node.kind === 'map';
    case 'requirements':
    case 'hints':
      return true;
  }
}

/** Checks against the alternatives that fit the kind of `node`; where none does, all are named. */
function checkUnion(node: Node, alternatives: readonly Shape[], context: CheckContext): void {
  const shapes = alternatives.flatMap((shape) => inVersion(shape, context.version));
  if (node.kind === 'scalar') {
    if (shapes.some((shape) => fitsScalar(node, shape))) {
      if (shapes.includes('expression')) checkExpression(node, context);
      return;
    }
    const symbols = shapes.find((shape): shape is EnumShape => typeof shape === 'object' && 'oneOf' in shape);
    if (symbols && typeof node.value === 'string') {
      checkEnum(node, symbols, context);
      return;
    }
  } else {
    if (shapes.includes('any') || (shapes.includes('type') && node.kind === 'map')) return;
    const candidates = shapes.filter((shape) => fitsKind(node, shape));
    const [candidate] = candidates.length > 1 ? candidates.filter((shape) => !isAnyShape(shape)) : candidates;
    if (candidate !== undefined) {
      checkShape(node, candidate, context);
      return;
    }
  }
  context.problems.error('wrong-type', node, `expected ${describeShape(shapes)}, got ${describe(node)}`);
}

const inVersion = (shape: Shape, version: string): readonly Shape[] => {
  if (typeof shape === 'string' || isUnion(shape) || !('versioned' in shape)) return [shape];
  const isTooOld = shape.from !== undefined && isBefore(version, shape.from);
  const isTooNew = shape.before !== undefined && !isBefore(version, shape.before);
  return isTooOld || isTooNew ? [] : [shape.versioned];
};

const isAnyShape = (shape: Shape): boolean => shape === 'any';

function fitsScalar(node: ScalarNode, shape: Shape): boolean {
  if (typeof shape === 'string') return fits(node, shape);
  return !isUnion(shape) && 'oneOf' in shape && shape.oneOf.includes(String(node.value));
}

function fitsKind(node: Node, shape: Shape): boolean {
  if (typeof shape === 'string') return node.kind === 'map' && (shape === 'process' || shape === 'any');
  if (isUnion(shape)) return shape.some((inner) => fitsKind(node, inner));
  if ('list' in shape) return node.kind === 'list';
  if ('item' in shape) return true;
  if ('versioned' in shape) return fitsKind(node, shape.versioned);
  return 'fields' in shape && node.kind === 'map';
}

function checkList(node: Node, shape: ListShape, context: CheckContext): void {
  if (node.kind === 'list') for (const item of node.items) checkShape(item, shape.list, context);
  else context.problems.error('wrong-type', node, `expected ${describeShape(shape)}, got ${describe(node)}`);
}

function checkEnum(node: Node, { oneOf }: EnumShape, { problems }: CheckContext): void {
  if (node.kind === 'scalar' && oneOf.includes(String(node.value))) return;
  const hint = node.kind === 'scalar' ? didYouMean(String(node.value), oneOf) : undefined;
  problems.error('bad-value', node, `expected one of ${oneOf.join(', ')}, got ${describe(node)}`, hint);
}

function checkMap(node: Node, shape: MapShape, context: CheckContext): void {
  if (node.kind === 'list') {
    for (const item of node.items) {
      if (item.kind === 'map') checkRecord(item, shape.item, context, shape.subject);
      else
        context.problems.error('wrong-type', item, `expected a mapping with "${shape.subject}", got ${describe(item)}`);
    }
  } else if (node.kind === 'map') {
    for (const { value } of node.entries.values()) checkMapValue(value, shape, context);
  } else context.problems.error('wrong-type', node, `expected a list or a mapping, got ${describe(node)}`);
}

/** What stands behind a key: a mapping is the element itself, anything else its predicate. */
function checkMapValue(value: Node, { item, subject, predicate }: MapShape, context: CheckContext): void {
  const isNull = value.kind === 'scalar' && value.value === null;
  const known = predicate === undefined ? undefined : item.fields[predicate];
  if (value.kind === 'map') checkRecord(value, withoutField(item, subject), context);
  else if (known && !(isNull && !known.required)) checkShape(value, known.shape, context);
  else if (!known && isNull)
    checkRecord({ ...value, kind: 'map', entries: new Map() }, withoutField(item, subject), context);
  else if (!known) context.problems.error('wrong-type', value, `expected a mapping, got ${describe(value)}`);
}

const withoutSubject = new WeakMap<RecordShape, RecordShape>();
function withoutField(shape: RecordShape, subject: string): RecordShape {
  const known = withoutSubject.get(shape);
  if (known) return known;
  const subjectShape = shape.fields[subject];
  const fields = subjectShape ? { ...shape.fields, [subject]: { shape: subjectShape.shape } } : shape.fields;
  const made = { name: shape.name, fields };
  withoutSubject.set(shape, made);
  return made;
}

const versions = ['v1.0', 'v1.1', 'v1.2', 'v1.3'];
export const isBefore = (version: string, other: string): boolean =>
  versions.indexOf(version.slice(0, 4)) < versions.indexOf(other);

export function checkRecord(node: Node, shape: RecordShape, context: CheckContext, subject?: string): void {
  if (node.kind !== 'map') {
    context.problems.error('wrong-type', node, `expected a mapping (${shape.name}), got ${describe(node)}`);
    return;
  }
  for (const entry of node.entries.values()) {
    const known = fieldOf(shape, entry.key, context);
    if (!known) checkUnknownField(entry.key, keySpan(entry), shape, context);
    else if (known.since !== undefined && isBefore(context.version, known.since)) {
      context.problems.error(
        'version',
        keySpan(entry),
        `field "${entry.key}" is not in CWL ${context.version}`,
        `set cwlVersion to ${known.since} or later`,
      );
    } else if (!(entry.value.kind === 'scalar' && entry.value.value === null && !known.required)) {
      checkShape(entry.value, known.shape, context);
    }
  }
  for (const [name, { required }] of Object.entries(shape.fields)) {
    const isMissing = (required || name === subject) && !node.entries.has(name);
    if (isMissing && !isMisspelt(node, name, shape)) {
      context.problems.error('missing-field', node, `${shape.name} needs the field "${name}"`);
    }
  }
}

/** Whether an unknown field nearby is probably what was meant; it is reported itself. */
const isMisspelt = (node: MapNode, name: string, shape: RecordShape): boolean =>
  nearest(
    name,
    [...node.entries.keys()].filter((key) => !Object.hasOwn(shape.fields, key)),
  ) !== undefined;

function fieldOf(shape: RecordShape, key: string, context: CheckContext) {
  if (Object.hasOwn(shape.fields, key)) return shape.fields[key];
  if (!key.includes(':')) return undefined;
  const full = expandPrefix(key, context.namespaces);
  return Object.hasOwn(shape.fields, full) ? shape.fields[full] : undefined;
}

const documentFields = new Set(['$namespaces', '$schemas', '$base', '$graph']);

function checkUnknownField(
  key: string,
  span: Parameters<Problems['error']>[1],
  shape: RecordShape,
  context: CheckContext,
): void {
  if (documentFields.has(key) || key.includes(':')) return;
  const names = Object.keys(shape.fields).filter((name) => !name.includes(':'));
  const isExpression = key.startsWith('$(');
  const hint = isExpression
    ? 'YAML reads ": " as the end of a key: put the expression in quotes'
    : (didYouMean(key, names) ?? `expected one of ${names.join(', ')}`);
  const message = `unknown field "${key}" in ${shape.name}`;
  // The reference implementation passes over names with a leading "$" or "@".
  if (context.strict && !/^[$@]/.test(key)) context.problems.error('unknown-field', span, message, hint);
  else context.problems.warn('unknown-field', span, message, hint);
}

function describeShape(shape: Shape): string {
  if (typeof shape === 'string') return atomNames[shape];
  if (isUnion(shape)) return [...new Set(shape.map(describeShape))].join(' or ');
  if ('list' in shape) return 'a list';
  if ('oneOf' in shape) return `one of ${shape.oneOf.join(', ')}`;
  if ('item' in shape) return 'a list or a mapping';
  if ('versioned' in shape) return describeShape(shape.versioned);
  return `a mapping (${shape.name})`;
}

const atomNames: Readonly<Record<Atom, string>> = {
  null: 'null',
  string: 'a string',
  boolean: 'true or false',
  int: 'an integer',
  number: 'a number',
  expression: 'an expression',
  any: 'anything',
  type: 'a type',
  process: 'a process',
  requirements: 'a list of requirements',
  hints: 'a list of hints',
};
