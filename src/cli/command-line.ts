import { existsSync } from 'node:fs';
import { didYouMean } from '../core/nearest.ts';
import { type CommandName, commandHelp, formatCommandHelp, isCommandName } from './arguments/command-help.ts';
import { parseRunFlags, runHelp } from './arguments/run-flags.ts';
import { cliError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import type { RunFlags } from './options/options.ts';
import { exitCodeOf, formatError, toErrorJson } from './report/report-error.ts';

type Command = (args: readonly string[]) => Promise<number>;

/** Words that are commands when they come first. */
const commands: Readonly<Record<CommandName, () => Promise<Command>>> = {
  provenance: async () => (await import('./commands/provenance.ts')).provenanceCommand,
  affected: async () => (await import('./commands/affected.ts')).affectedCommand,
  packages: async () => (await import('./commands/packages.ts')).packagesCommand,
  rerun: async () => (await import('./commands/rerun.ts')).rerunCommand,
  runs: async () => (await import('./commands/runs.ts')).runsCommand,
  logs: async () => (await import('./commands/logs.ts')).logsCommand,
  'crunch-run': async () => (await import('./commands/crunch-run.ts')).crunchRunCommand,
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  image: async () => (await import('./commands/image.ts')).imageCommand,
  validate: async () => (await import('./commands/validate.ts')).validateCommand,
  graph: async () => (await import('./commands/graph.ts')).graphCommand,
  gc: async () => (await import('./commands/gc.ts')).gcCommand,
  completion: async () => (await import('./commands/completion.ts')).completionCommand,
};

/** Runs one command line and gives its exit code. Nothing is thrown: what fails is printed. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const debug = args.includes('--debug');
  try {
    const [name = '', ...rest] = args;
    if (isCommandName(name)) {
      if (!rest.includes('--help') && !rest.includes('-h')) return await (await commands[name]())(rest);
      process.stdout.write(formatCommandHelp(name));
      return exitCodes.success;
    }
    if (args[0] === '--get-completions') {
      const { getCompletions } = await import('./commands/completion.ts');
      return await getCompletions(args.slice(1));
    }
    return await runDocument(args);
  } catch (error) {
    const printed = args.includes('--json')
      ? JSON.stringify(toErrorJson(error), null, 2)
      : formatError(error, { debug });
    process.stderr.write(`${printed}\n`);
    return exitCodeOf(error);
  }
}

/** `cwl-runner [flags] DOCUMENT [INPUTS] [flags | --input value …]`. */
async function runDocument(args: readonly string[]): Promise<number> {
  const before = parseRunFlags(args, true);
  if (before.help && before.rest.length === 0) {
    process.stdout.write(`${await runHelp()}\n`);
    return exitCodes.success;
  }
  if (before.flags.printSupportedVersions) {
    process.stdout.write('v1.0\nv1.1\nv1.2\n');
    return exitCodes.success;
  }
  const [document, ...rest] = before.rest;
  if (document === undefined)
    throw cliError('cli/usage', 'expected a CWL document, got none', {
      hint: 'cwl-runner DOCUMENT [INPUTS]; cwl-runner --help lists the flags',
    });
  checkMistypedCommand(document);
  const inputsFile = rest[0] !== undefined && (!rest[0].startsWith('-') || rest[0] === '-') ? rest[0] : undefined;
  const words = inputsFile === undefined ? rest : rest.slice(1);
  const { runCommand } = await import('./commands/run.ts');
  return runCommand({
    document,
    ...(inputsFile === undefined ? {} : { inputsFile }),
    readFlags(inputs) {
      const after = parseRunFlags(words, false, inputs);
      return {
        flags: { ...before.flags, ...after.given } as RunFlags,
        inputArgs: after.rest,
        help: before.help || after.help,
        notes: [...before.notes, ...after.notes],
      };
    },
  });
}

/** A word that nearly is a command and names no file is one that was mistyped. */
function checkMistypedCommand(document: string): void {
  const hint = /[/.#]/.test(document) ? undefined : didYouMean(document, Object.keys(commandHelp));
  if (hint !== undefined && !existsSync(document))
    throw cliError('cli/usage', `there is neither a command nor a document ${document}`, { hint });
}
