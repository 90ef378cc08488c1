import { type ParseArgsConfig, parseArgs } from 'node:util';
import { toMessage } from '../core/errors.ts';
import { cliError } from './usage-error.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** Arguments of a command of few flags, strictly: what is unknown is a usage error that shows how the command is called. */
export function parseCommandArgs<O extends Options>(args: readonly string[], options: O, usage: string) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const [problem = ''] = toMessage(error).split('. ');
    throw cliError('cli/usage', problem.charAt(0).toLowerCase() + problem.slice(1), { hint: usage });
  }
}
