import { listCandidates } from '../completion/candidates.ts';
import { completionScripts } from '../completion/scripts.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';

/** `cwl-runner completion bash|zsh|fish`: the script that makes the shell complete. */
export async function completionCommand([shell = '', ...more]: readonly string[]): Promise<number> {
  const script = Object.hasOwn(completionScripts, shell) ? completionScripts[shell] : undefined;
  if (script === undefined || more.length > 0)
    throw cliError('cli/usage', `completion: expected bash, zsh or fish, got ${shell || 'none'}`, {
      hint: 'source <(cwl-runner completion bash)',
    });
  process.stdout.write(script);
  return exitCodes.success;
}

/** `cwl-runner --get-completions WORDS…`, which the scripts call: candidates for the last word, one a line. */
export async function getCompletions(words: readonly string[]): Promise<number> {
  const found = await listCandidates(words);
  if (found.length > 0) process.stdout.write(`${found.join('\n')}\n`);
  return exitCodes.success;
}
