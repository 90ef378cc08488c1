import parser from 'yargs-parser';
import { didYouMean } from '../../core/nearest.ts';
import { cliError } from '../errors.ts';
import type { Flag } from '../options/flag.ts';
import { type RunFlags, runOptions } from '../options/options.ts';
import { listCommands } from './command-help.ts';

export interface ParsedFlags {
  readonly flags: RunFlags;
  /** Only those that the command line names. */
  readonly given: Partial<RunFlags>;
  readonly rest: readonly string[];
  readonly help: boolean;
  /** What flags of other runners have no effect here, and why. */
  readonly notes: readonly string[];
}

const hint = 'cwl-runner --help lists the flags';
const declared = Object.entries(runOptions);
const named = (fits: (option: Flag) => boolean) => declared.filter(([, option]) => fits(option)).map(([name]) => name);
/** `runOptions` as the parser wants them. What is no flag has one value. */
const parserOptions = {
  boolean: named(({ type }) => type === 'boolean'),
  string: named(({ type }) => type === 'string'),
  number: named(({ type }) => type === 'number'),
  array: named(({ array }) => array === true),
  narg: Object.fromEntries(named(({ type }) => type !== 'boolean').map((name) => [name, 1])),
  alias: Object.fromEntries(
    declared.flatMap(([name, { alias }]) => (typeof alias === 'string' ? [[name, alias]] : [])),
  ),
};

const defaults = Object.fromEntries(
  declared.flatMap(([name, option]) => (option.default === undefined ? [] : [[toCamel(name), option.default]])),
);

/**
 * By the parser of yargs alone: yargs itself, which takes 50 ms to load, only prints the help. `inputs` are names of the document's
 * inputs, which are no flags behind it.
 */
export function parseRunFlags(
  args: readonly string[],
  stopAtDocument: boolean,
  inputs: ReadonlySet<string> = new Set(),
): ParsedFlags {
  const { argv, error } = parser.detailed([...args], {
    ...without(inputs),
    configuration: {
      'unknown-options-as-args': true,
      'halt-at-non-option': stopAtDocument,
      'strip-aliased': true,
      'strip-dashed': true,
      'parse-positional-numbers': false,
    },
  });
  if (error) throw cliError('cli/usage', error.message.split('\n')[0] ?? '', { hint });
  const { _: words, ...values } = argv;
  const named = takeLast(values);
  checkValues(named);
  const given = { ...meaningsOf(named), ...named };
  const rest = words.map(String);
  const unknown = stopAtDocument ? findUnknown(rest) : undefined;
  if (unknown !== undefined) {
    throw cliError('cli/usage', `unknown flag ${unknown}`, {
      hint: `${suggest(unknown)}${hint}; values of inputs come after the document`,
    });
  }
  return {
    flags: { ...defaults, ...given } as unknown as RunFlags,
    given: given as Partial<RunFlags>,
    rest: rest.filter((word) => !isHelp(word)),
    help: rest.some(isHelp),
    notes: notesOn(named),
  };
}

function without(inputs: ReadonlySet<string>): typeof parserOptions {
  if (inputs.size === 0) return parserOptions;
  const keep = (names: string[]) => names.filter((name) => !inputs.has(name));
  const keepKeys = <T>(of: Record<string, T>) =>
    Object.fromEntries(Object.entries(of).filter(([name]) => !inputs.has(name)));
  const { boolean, string, number, array, narg, alias } = parserOptions;
  return {
    ...{ boolean: keep(boolean), string: keep(string), number: keep(number), array: keep(array) },
    ...{ narg: keepKeys(narg), alias: keepKeys(alias) },
  };
}

/** What `--docker` and its like say of other flags. A flag that is given itself counts more. */
function meaningsOf(named: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const meanings = Object.entries(named).map(([name, value]) => (value === true ? optionOf(name).means : undefined));
  return Object.assign({}, ...meanings);
}

const optionOf = (name: string): Flag => runOptions[toKebab(name)] ?? {};

/** Why what was given has no effect. Fails where a flag of another runner is refused. */
function notesOn(named: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(named).flatMap(([name, value]) => {
    const { refused, noEffect, noEffectNegated } = optionOf(name);
    if (refused !== undefined && value !== false)
      throw cliError('cli/usage', `--${toKebab(name)} is not supported`, { hint: refused });
    const note = value === false ? noEffectNegated : noEffect;
    return note === undefined ? [] : [`--${value === false ? 'no-' : ''}${toKebab(name)} has no effect: ${note}`];
  });
}

/** Of a flag that is given twice the last counts, unless it is a list. */
function takeLast(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(values).map(([name, value]) => {
    const isList = parserOptions.array.includes(toKebab(name));
    return [name, Array.isArray(value) && !isList ? value.at(-1) : value];
  });
  return Object.fromEntries(entries);
}

function checkValues(flags: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(flags)) {
    const { choices } = optionOf(name);
    const expected = Number.isNaN(value)
      ? 'a number'
      : choices && !choices.includes(String(value))
        ? `one of ${choices.join(', ')}`
        : undefined;
    if (expected)
      throw cliError('cli/usage', `--${toKebab(name)}: expected ${expected}, got ${String(value)}`, { hint });
  }
}

/** A flag before the document that nobody knows: after it, it may be an input. */
function findUnknown(rest: readonly string[]): string | undefined {
  const document = rest.findIndex((word) => !word.startsWith('-'));
  return rest.find((word, index) => index < document && word.startsWith('-') && !isHelp(word));
}

const isHelp = (word: string): boolean => word === '--help' || word === '-h';

function toCamel(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const toKebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function suggest(flag: string): string {
  const near = didYouMean(flag.replace(/^--?(no-)?/, '').replace(/=.*/s, ''), Object.keys(runOptions));
  return near === undefined ? '' : `${near} `;
}

export async function runHelp(): Promise<string> {
  const { default: yargs } = await import('yargs');
  const flags = await yargs([]).options(runOptions).help(false).version(false).getHelp();
  return `${usage}\n\nCommands; each has its own --help:\n${listCommands()}\n\n${flags}`;
}

const usage = `cwl-runner [flags] DOCUMENT [INPUTS] [--input value …]
cwl-runner DOCUMENT --help
cwl-runner COMMAND …`;
