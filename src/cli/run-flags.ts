import type { Options } from 'yargs';
import parser from 'yargs-parser';
import { didYouMean } from '../core/nearest.ts';
import { type RunFlags, runOptions } from './options.ts';
import { cliError } from './usage-error.ts';

export interface ParsedFlags {
  readonly flags: RunFlags;
  /** Only those that the command line names. */
  readonly given: Partial<RunFlags>;
  readonly rest: readonly string[];
  readonly help: boolean;
}

const hint = 'cwl-runner --help lists the flags';
const declared: readonly (readonly [string, Options])[] = Object.entries(runOptions);
const named = (fits: (option: Options) => boolean) =>
  declared.filter(([, option]) => fits(option)).map(([name]) => name);
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

/** By the parser of yargs alone: yargs itself, which takes 50 ms to load, only prints the help. */
export function parseRunFlags(args: readonly string[], stopAtDocument: boolean): ParsedFlags {
  const { argv, error } = parser.detailed([...args], {
    ...parserOptions,
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
  const given = takeLast(values);
  checkValues(given);
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
  };
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
    const { choices } = runOptions[toKebab(name) as keyof typeof runOptions] as Options;
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
  return yargs([])
    .scriptName('cwl-runner')
    .usage(
      '$0 [flags] DOCUMENT [INPUTS] [--input value …]\n$0 provenance | affected | packages | rerun | runs | logs | crunch-run | validate | graph',
    )
    .options(runOptions)
    .help(false)
    .version(false)
    .getHelp();
}
