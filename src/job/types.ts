import type { CwlType } from '../cwl/model.ts';
import { isDirectory, isFile } from '../cwl/values.ts';

/** Whether `value` is of `type` (CWL v1.2, "Data concepts"); a record may have more fields than its type names. */
export const isOfType = (type: CwlType, value: unknown): boolean => typeProblem(type, value, '') === undefined;

/** What is wrong with `value`, at its innermost place: `inputs.reads[2]: expected File, got the string "x"`. */
export function typeProblem(type: CwlType, value: unknown, path: string): string | undefined {
  if (typeof type === 'string') {
    return isPrimitive(type, value) ? undefined : `${path}: expected ${formatType(type)}, got ${describe(value)}`;
  }
  if (isUnion(type)) return unionProblem(type, value, path);
  const mismatch = () => `${path}: expected ${formatType(type)}, got ${describe(value)}`;
  switch (type.type) {
    case 'enum':
      return typeof value === 'string' && type.symbols.includes(value) ? undefined : mismatch();
    case 'array': {
      if (!Array.isArray(value)) return mismatch();
      return firstProblem(value.entries(), ([i, item]) => typeProblem(type.items, item, `${path}[${i}]`));
    }
    case 'record': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return mismatch();
      const record = value as Record<string, unknown>;
      return firstProblem(type.fields, ({ name, type: fieldType }) =>
        typeProblem(fieldType, record[name] ?? null, `${path}.${name}`),
      );
    }
  }
}

/** As `typeProblem`, for an output: a null fits Any there, since expressions may have nothing to say. */
export const outputProblem = (type: CwlType, value: unknown, name: string): string | undefined =>
  type === 'Any' && value === null ? undefined : typeProblem(type, value, `output ${name}`);

/** The first branch that the value fits; undefined when none. For a type that is no union, that type. */
export function chooseBranch(type: CwlType, value: unknown): Exclude<CwlType, readonly CwlType[]> | undefined {
  if (!isUnion(type)) return isOfType(type, value) ? type : undefined;
  for (const branch of type) {
    const chosen = chooseBranch(branch, value);
    if (chosen !== undefined) return chosen;
  }
  return undefined;
}

export const isUnion = (type: CwlType): type is readonly CwlType[] => Array.isArray(type);

export const isOptional = (type: CwlType): boolean => type === 'null' || (isUnion(type) && type.some(isOptional));

/** As the document would write it: `File[]?`. */
export function formatType(type: CwlType): string {
  if (typeof type === 'string') return type;
  if (isUnion(type)) {
    const others = type.filter((branch) => branch !== 'null').map(formatType);
    const text = others.length === 1 ? String(others[0]) : others.join(' or ');
    if (others.length === type.length) return text;
    return others.length === 1 ? `${text}?` : `${text} or null`;
  }
  if (type.type === 'array') return `${formatType(type.items)}[]`;
  if (type.type === 'enum') return `one of ${type.symbols.join(', ')}`;
  return `record {${type.fields.map((field) => field.name).join(', ')}}`;
}

function isPrimitive(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null || value === undefined;
    case 'Any':
      return value !== null && value !== undefined;
    case 'boolean':
    case 'string':
      return typeof value === type;
    case 'int':
      return Number.isInteger(value) && Math.abs(Number(value) + 0.5) <= 2 ** 31;
    case 'long':
      return Number.isInteger(value) && Math.abs(Number(value)) <= 2 ** 63;
    case 'float':
    case 'double':
      return typeof value === 'number' && Number.isFinite(value);
    case 'File':
      return isFile(value);
    case 'Directory':
      return isDirectory(value);
    default:
      return false;
  }
}

function unionProblem(type: readonly CwlType[], value: unknown, path: string): string | undefined {
  const problems = type.map((branch) => typeProblem(branch, value, path));
  if (problems.includes(undefined)) return undefined;
  const deeper = problems.filter((problem) => problem !== undefined && !problem.startsWith(`${path}: `));
  if (deeper.length === 1) return deeper[0];
  return `${path}: expected ${formatType(type)}, got ${describe(value)}`;
}

function firstProblem<T>(items: Iterable<T>, check: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const problem = check(item);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (isFile(value)) return 'a File';
  if (isDirectory(value)) return 'a Directory';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a record';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return `the ${typeof value} ${text.slice(0, 80)}`;
}
