import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nearest } from '../../core/nearest.ts';
import { parseJson, readFloat, readInteger } from '../../core/numbers.ts';
import type { CwlType, InputParameter, Process } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import { cliError } from '../errors.ts';
import { runOptions } from '../options/options.ts';

/** Values of inputs from the command line: `--name value`, `--name=value`, `--flag`, `--no-flag`; a list by repeating. */
export function readInputFlags(process: Process, args: readonly string[], folder: string): CwlObject {
  const inputs = new Map(process.inputs.map((input) => [input.id, input]));
  const values: Record<string, CwlValue> = {};
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    const [name, inline] = splitFlag(arg, process);
    const negated = name.startsWith('no-') && !inputs.has(name) && isBoolean(inputs.get(name.slice(3)));
    const input = inputs.get(negated ? name.slice(3) : name);
    if (!input) throw unknownInput(name, process);
    if (isBoolean(input)) {
      values[input.id] = inline === undefined ? !negated : readScalar(input, 'boolean', inline, folder);
      continue;
    }
    const text = inline ?? args[++index];
    if (text === undefined)
      throw cliError('cli/usage', `--${name}: expected a value of type ${describe(input.type)}, got none`);
    const item = itemType(input.type);
    if (item === undefined) values[input.id] = readScalar(input, scalarType(input.type), text, folder);
    else
      values[input.id] = [
        ...((values[input.id] as CwlValue[] | undefined) ?? []),
        readScalar(input, scalarType(item), text, folder),
      ];
  }
  return values;
}

/** The document's own inputs, for `--help` after it. */
export function formatInputHelp(process: Process): string {
  const lines = process.inputs.map((input) => {
    const head = `  --${input.id}`.padEnd(26);
    const doc = input.doc ?? input.label ?? '';
    const fallback = input.hasDefault ? ` (default: ${JSON.stringify(input.default)})` : '';
    return `${head} ${describe(input.type)}${doc === '' ? '' : `  ${doc.trim().split('\n')[0]}`}${fallback}`;
  });
  const title = process.label ?? process.doc?.trim().split('\n')[0];
  return [...(title ? [title, ''] : []), 'Inputs of the document:', ...lines].join('\n');
}

function splitFlag(arg: string, process: Process): [string, string | undefined] {
  const match = /^--?([^=]+)(?:=(.*))?$/s.exec(arg);
  if (match) return [match[1] ?? '', match[2]];
  throw cliError('cli/usage', `expected --INPUT VALUE, got ${JSON.stringify(arg)}`, {
    hint: `inputs are ${namesOf(process)}`,
  });
}

function readScalar(input: InputParameter, type: CwlType, text: string, folder: string): CwlValue {
  switch (type) {
    case 'int':
    case 'long':
      return readWhole(input, text);
    case 'float':
    case 'double':
      return readNumber(input, text);
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      throw cliError('cli/usage', `--${input.id}: expected true or false, got ${JSON.stringify(text)}`);
    case 'File':
    case 'Directory':
      return {
        class: type,
        location: /^[a-z][a-z0-9+.-]+:/.test(text) ? text : pathToFileURL(resolve(folder, text)).href,
      } as CwlValue;
    case 'string':
      return text;
    default:
      return readJson(input, type, text);
  }
}

function readWhole(input: InputParameter, text: string): number | bigint {
  if (/^[-+]?\d+$/.test(text)) return readInteger(text);
  throw cliError('cli/usage', `--${input.id}: expected a whole number, got ${JSON.stringify(text)}`);
}

function readNumber(input: InputParameter, text: string): number | bigint {
  const isDecimal = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text);
  if (isDecimal && Number.isFinite(Number(text))) return readFloat(text);
  throw cliError('cli/usage', `--${input.id}: expected a number, got ${JSON.stringify(text)}`);
}

/** Enums take their symbol; records and unions take JSON. */
function readJson(input: InputParameter, type: CwlType, text: string): CwlValue {
  if (typeof type === 'object' && 'type' in type && type.type === 'enum') return text;
  try {
    return parseJson(text) as CwlValue;
  } catch {
    if (Array.isArray(type) || type === 'Any') return text;
    throw cliError('cli/usage', `--${input.id}: expected ${describe(type)} as JSON, got ${JSON.stringify(text)}`);
  }
}

const withoutNull = (type: CwlType): readonly CwlType[] =>
  (Array.isArray(type) ? (type as readonly CwlType[]) : [type]).filter((branch) => branch !== 'null');

function scalarType(type: CwlType): CwlType {
  const branches = withoutNull(type);
  return branches.length === 1 && branches[0] !== undefined ? branches[0] : type;
}

function itemType(type: CwlType): CwlType | undefined {
  const only = scalarType(type);
  return typeof only === 'object' && 'type' in only && only.type === 'array' ? only.items : undefined;
}

const isBoolean = (input: InputParameter | undefined): boolean =>
  input !== undefined && scalarType(input.type) === 'boolean';

/** A type as the document would write it. */
function describe(type: CwlType): string {
  if (typeof type === 'string') return type;
  if (!('type' in type)) {
    const branches = withoutNull(type as readonly CwlType[]);
    const optional = branches.length < (type as readonly CwlType[]).length;
    return `${branches.map(describe).join(' | ')}${optional ? '?' : ''}`;
  }
  switch (type.type) {
    case 'array':
      return `${describe(type.items)}[]`;
    case 'enum':
      return type.symbols.join('|');
    case 'record':
      return `{${type.fields.map((field) => `${field.name}: ${describe(field.type)}`).join(', ')}}`;
  }
}

const namesOf = (process: Process): string => process.inputs.map(({ id }) => `--${id}`).join(', ') || 'none';

function unknownInput(name: string, process: Process) {
  const known = [...process.inputs.map(({ id }) => id), ...Object.keys(runOptions)];
  // Any letter is near any other.
  const near = name.length < 3 ? undefined : nearest(name, known);
  return cliError('cli/usage', `--${name} is neither a flag nor an input of the document`, {
    hint: near === undefined ? `its inputs are ${namesOf(process)}` : `did you mean --${near}?`,
  });
}
