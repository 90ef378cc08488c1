import yargs from 'yargs';
import { didYouMean } from '../cwl/problem.ts';
import { type RunFlags, runOptions } from './options.ts';
import { cliError } from './usage-error.ts';

export interface ParsedFlags {
  readonly flags: RunFlags;
  /** Only those that the command line names. */
  readonly given: Partial<RunFlags>;
  readonly rest: readonly string[];
  readonly help: boolean;
}

function parser(args: readonly string[]) {
  return yargs([...args])
    .scriptName('cwl-runner')
    .usage('$0 [flags] DOCUMENT [INPUTS] [--input value …]\n$0 provenance | rerun | runs | logs | validate | graph')
    .options(runOptions)
    .help(false)
    .version(false)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? cliError('cli/usage', message.split('\n')[0] ?? '', { hint: 'cwl-runner --help lists the flags' });
    });
}

export function parseRunFlags(args: readonly string[], stopAtDocument: boolean): ParsedFlags {
  const parsed = parser(args)
    .parserConfiguration({
      'unknown-options-as-args': true,
      'halt-at-non-option': stopAtDocument,
      'strip-aliased': true,
      'strip-dashed': true,
      'duplicate-arguments-array': false,
      'parse-positional-numbers': false,
    })
    .parseSync();
  const { _: words, $0: _script, ...flags } = parsed;
  const rest = words.map(String);
  const defaulted = new Set(Object.keys(runOptions).filter((name) => !args.some((arg) => namesFlag(arg, name))));
  const given = Object.fromEntries(Object.entries(flags).filter(([name]) => !defaulted.has(toKebab(name))));
  const help = rest.includes('--help') || rest.includes('-h');
  const unknown = stopAtDocument
    ? rest.find(
        (word, index) =>
          index < rest.findIndex((other) => !other.startsWith('-')) && word.startsWith('-') && !isHelp(word),
      )
    : undefined;
  if (unknown !== undefined) {
    throw cliError('cli/usage', `unknown flag ${unknown}`, {
      hint: `${suggest(unknown)}cwl-runner --help lists the flags; values of inputs come after the document`,
    });
  }
  return {
    flags: flags as unknown as RunFlags,
    given: given as Partial<RunFlags>,
    rest: rest.filter((word) => !isHelp(word)),
    help,
  };
}

const isHelp = (word: string): boolean => word === '--help' || word === '-h';

function namesFlag(arg: string, name: string): boolean {
  const alias = (runOptions as Record<string, { alias?: string }>)[name]?.alias;
  return (
    arg === `--${name}` ||
    arg.startsWith(`--${name}=`) ||
    arg === `--no-${name}` ||
    (alias !== undefined && arg === `-${alias}`)
  );
}

const toKebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function suggest(flag: string): string {
  const near = didYouMean(flag.replace(/^--?(no-)?/, '').replace(/=.*/s, ''), Object.keys(runOptions));
  return near === undefined ? '' : `${near} `;
}

export async function runHelp(): Promise<string> {
  return parser([]).getHelp();
}
