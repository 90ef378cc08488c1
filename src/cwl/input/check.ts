import { didYouMean } from '../../core/nearest.ts';
import { membersOf, typeText } from '../link/types.ts';
import type { CwlType, InputParameter, Process } from '../model.ts';
import type { Problem } from '../problem.ts';
import { Problems } from '../problems.ts';
import { field, keySpan, type Node, type Span } from '../syntax/node.ts';
import type { CwlObject, CwlValue } from '../values.ts';
import { isDirectory, isFile } from '../values.ts';
import type { InputObject } from './job.ts';

export interface CheckedInputs {
  /** One value for each input: given, default, or null. What the process does not know is left out. */
  readonly inputs: CwlObject;
  readonly warnings: readonly Problem[];
}

/**
 * The input object with defaults in place, each value of the type of its parameter. Fails with `cwl/bad-input` and every
 * value that does not fit.
 */
export function checkInputs(process: Process, job: InputObject): CheckedInputs {
  const problems = new Problems();
  const names = process.inputs.map(({ id }) => id);
  for (const entry of job.root.entries.values()) {
    if (entry.key.startsWith('$') || entry.key.includes(':') || names.includes(entry.key) || !(entry.key in job.values))
      continue;
    const hint = didYouMean(entry.key, names);
    problems.warn('input', keySpan(entry), `the process has no input ${JSON.stringify(entry.key)}`, hint);
  }
  const inputs: Record<string, CwlValue> = {};
  for (const parameter of process.inputs) inputs[parameter.id] = checkInput(parameter, job, problems);
  problems.throwIfAny('cwl/bad-input');
  return { inputs, warnings: problems.warnings };
}

function checkInput(parameter: InputParameter, job: InputObject, problems: Problems): CwlValue {
  const { id, type, hasDefault } = parameter;
  const given = job.values[id] ?? null;
  const value = given === null && hasDefault ? ((parameter.default ?? null) as CwlValue) : given;
  const node = field(job.root, id);
  if (value === null && !acceptsNull(type)) {
    const what = node ? 'is null' : 'is missing';
    const hint = node
      ? undefined
      : didYouMean(
          id,
          Object.keys(job.values).filter((name) => name !== id),
        );
    problems.error('input', node ?? job.root, `input ${JSON.stringify(id)} of type ${typeText(type)} ${what}`, hint);
    return null;
  }
  const mismatch = findMismatch(value, type, id);
  if (mismatch) {
    const span = node ? spanAt(node, mismatch.path) : job.root;
    problems.error(
      'input',
      span,
      `input ${mismatch.name}: expected ${typeText(mismatch.type)}, got ${describeValue(mismatch.value)}`,
    );
  }
  return value;
}

/** `Any` is every value but null (CWL v1.2, "Any"). */
const acceptsNull = (type: CwlType): boolean => membersOf(type).includes('null');

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

function fitsPrimitive(value: CwlValue, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'boolean':
    case 'string':
      return typeof value === type;
    case 'int':
      return typeof value === 'number' && Number.isInteger(value) && value >= -2147483648 && value <= 2147483647;
    case 'long':
      return typeof value === 'number' && Number.isInteger(value);
    case 'float':
    case 'double':
      return typeof value === 'number';
    case 'File':
      return isFile(value);
    case 'Directory':
      return isDirectory(value);
    default:
      return value !== null;
  }
}

function spanAt(node: Node, path: readonly (string | number)[]): Span {
  const [first, ...rest] = path;
  if (first === undefined) return node;
  const inner = node.kind === 'list' && typeof first === 'number' ? node.items[first] : field(node, String(first));
  return inner ? spanAt(inner, rest) : node;
}

function describeValue(value: CwlValue | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (isFile(value)) return 'a File';
  if (isDirectory(value)) return 'a Directory';
  if (isList(value)) return 'a list';
  if (typeof value === 'object') return 'a record';
  const text = JSON.stringify(value);
  return `the ${typeof value} ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`;
}
