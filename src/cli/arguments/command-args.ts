import { type ParseArgsConfig, parseArgs } from 'node:util';
import { toMessage } from '../../core/errors.ts';
import { cliError } from '../errors.ts';
import { type CommandName, usageOf } from './command-help.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** Every command takes it; `runCommandLine` reads it. */
const everywhere = { debug: { type: 'boolean' } } as const;

/**
 * Arguments of a command of few flags, strictly: what is unknown, or given twice where one counts, is a usage error that shows how the
 * command is called.
 */
export function parseCommandArgs<O extends Options>(args: readonly string[], own: O, command: CommandName) {
  const options = { ...everywhere, ...own };
  const parsed = parse(args, options, command);
  const seen = new Set<string>();
  for (const { kind, ...token } of parsed.tokens) {
    if (kind !== 'option' || !('name' in token) || options[token.name]?.multiple) continue;
    if (seen.has(token.name)) fail(command, `expected --${token.name} once, got it again`);
    seen.add(token.name);
  }
  return parsed;
}

function parse<O extends Options>(args: readonly string[], options: O, command: CommandName) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true, tokens: true });
  } catch (error) {
    const [problem = ''] = toMessage(error).split('. ');
    return fail(command, problem.charAt(0).toLowerCase() + problem.slice(1));
  }
}

function fail(command: CommandName, problem: string): never {
  throw cliError('cli/usage', `${command}: ${problem}`, { hint: usageOf(command) });
}
