import { toNumber } from '../../core/numbers.ts';
import { typeText } from '../../cwl/link/types.ts';
import type { CommandLineBinding, CommandLineTool, CwlType } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import { jobError } from '../errors.ts';
import type { Expressions } from '../evaluate.ts';
import { chooseBranch } from '../types.ts';
import { toArguments } from './command-arguments.ts';

/** CWL v1.2, "Input binding", the sort key: positions and, where these are equal, indexes (before) and names. */
type SortKey = readonly (number | string)[];

interface BoundArgument {
  readonly key: SortKey;
  readonly binding: CommandLineBinding;
  readonly datum: CwlValue;
}

/** baseCommand, arguments and inputs in their order (CWL v1.2, section 4.1); one shell line with ShellCommandRequirement. */
export async function buildCommandLine(
  tool: CommandLineTool,
  inputs: CwlObject,
  expressions: Expressions,
  usesShell: boolean,
): Promise<string[]> {
  const bound = await bindArguments(tool, expressions);
  for (const { id, type, inputBinding } of tool.inputs) {
    const value = inputs[id];
    if (value === null || value === undefined) continue;
    bound.push(...(await bind({ type, inputBinding, tail: [id], field: id }, value, expressions)));
  }
  bound.sort((a, b) => compareKeys(a.key, b.key));
  const words: string[] = tool.baseCommand.map((word) => (usesShell ? quoteForShell(word) : word));
  for (const { binding, datum } of bound) {
    const args = await toArguments(binding, datum, expressions);
    words.push(...(usesShell && binding.shellQuote !== false ? args.map(quoteForShell) : args));
  }
  return usesShell ? ['/bin/sh', '-c', words.join(' ')] : words;
}

async function bindArguments(tool: CommandLineTool, expressions: Expressions): Promise<BoundArgument[]> {
  const bound: BoundArgument[] = [];
  for (const [index, argument] of tool.arguments.entries()) {
    const binding = typeof argument === 'string' ? { valueFrom: argument } : argument;
    const position = await toPosition(binding, null, expressions, `arguments[${index}].position`);
    bound.push({ key: [position, index], binding, datum: null });
  }
  return bound;
}

/** A value with its type and binding; `lead` and `tail` go around its position in the sort key. */
interface Bindable {
  readonly type: CwlType;
  readonly inputBinding: CommandLineBinding | undefined;
  readonly lead?: SortKey;
  readonly tail: SortKey;
  readonly field: string;
}

async function bind(node: Bindable, datum: CwlValue, expressions: Expressions): Promise<BoundArgument[]> {
  const { inputBinding: binding, lead = [], tail, field } = node;
  if (!binding) return bindInner(node, datum, expressions);
  const position = await toPosition(binding, datum, expressions, `${field}.inputBinding.position`);
  const key = [...lead, position, ...tail];
  const own = { key, binding, datum };
  if (binding.valueFrom !== undefined) return [own];
  const inner = await bindInner(node, datum, expressions);
  return [...inner.map((argument) => ({ ...argument, key: [...key, ...argument.key] })), own];
}

/** What the type of the value adds: items of arrays, fields of records, and bindings that types have of their own. */
async function bindInner(node: Bindable, datum: CwlValue, expressions: Expressions): Promise<BoundArgument[]> {
  const branch = chooseBranch(node.type, datum);
  if (branch === undefined) {
    throw jobError('job/bad-input', `${node.field}: no branch of ${typeText(node.type)} fits the value`);
  }
  if (branch === 'Any') return bindAny(node, datum, expressions);
  if (typeof branch === 'string') return [];
  const { lead = [], tail, field } = node;
  if (branch.type === 'enum') {
    return branch.inputBinding
      ? bind({ type: 'string', inputBinding: branch.inputBinding, lead, tail, field }, datum, expressions)
      : [];
  }
  if (branch.type === 'array') {
    const isJoined = node.inputBinding?.itemSeparator !== undefined;
    const itemBinding = branch.inputBinding ?? (node.inputBinding && !isJoined ? {} : undefined);
    return bindItems(
      { ...node, type: branch.items, inputBinding: itemBinding },
      datum as readonly CwlValue[],
      expressions,
    );
  }
  const fields = branch.fields.map(({ name, type, inputBinding }) => ({
    name,
    type,
    inputBinding,
    lead,
    tail: [name],
  }));
  const inner = await bindFields(fields, datum as CwlObject, field, expressions);
  if (!branch.inputBinding) return inner;
  const position = await toPosition(branch.inputBinding, datum, expressions, `${field}.inputBinding.position`);
  const key = [...lead, position, ...tail];
  const own = { key, binding: branch.inputBinding, datum };
  if (branch.inputBinding.valueFrom !== undefined) return [own];
  return [...inner.map((argument) => ({ ...argument, key: [...key, ...argument.key] })), own];
}

async function bindItems(
  item: Bindable,
  data: readonly CwlValue[],
  expressions: Expressions,
): Promise<BoundArgument[]> {
  const bound: BoundArgument[] = [];
  for (const [index, datum] of data.entries()) {
    const node = { ...item, lead: [index], field: `${item.field}[${index}]` };
    bound.push(...(await bind(node, datum, expressions)));
  }
  return bound;
}

interface BindableField extends Omit<Bindable, 'field'> {
  readonly name: string;
}

async function bindFields(
  fields: readonly BindableField[],
  record: CwlObject,
  path: string,
  expressions: Expressions,
): Promise<BoundArgument[]> {
  const bound: BoundArgument[] = [];
  for (const field of fields) {
    const value = record[field.name];
    if (value === null || value === undefined) continue;
    bound.push(...(await bind({ ...field, field: `${path}.${field.name}` }, value, expressions)));
  }
  return bound;
}

/** A value of type Any is bound as what it is: the items of a list one by one, with an empty binding. */
async function bindAny(node: Bindable, datum: CwlValue, expressions: Expressions): Promise<BoundArgument[]> {
  const isList = Array.isArray(datum) && node.inputBinding && node.inputBinding.itemSeparator === undefined;
  if (!isList) return [];
  return bindItems({ ...node, type: 'Any', inputBinding: {} }, datum as readonly CwlValue[], expressions);
}

async function toPosition(
  binding: CommandLineBinding,
  datum: CwlValue,
  expressions: Expressions,
  field: string,
): Promise<number> {
  const position = toNumber(
    typeof binding.position === 'string'
      ? await expressions.evaluate(binding.position, field, datum)
      : (binding.position ?? 0),
  );
  if (position === null) return 0;
  if (Number.isInteger(position)) return Number(position);
  throw jobError('job/bad-binding', `${field}: expected an integer, got ${JSON.stringify(position)}`, {
    hint: 'let the expression return a whole number',
  });
}

/** Numbers before texts; a shorter key before a longer one that begins with it. */
function compareKeys(a: SortKey, b: SortKey): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const left = a[i] ?? 0;
    const right = b[i] ?? 0;
    if (left === right) continue;
    if (typeof left !== typeof right) return typeof left === 'number' ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

/** One word of POSIX sh. */
function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
