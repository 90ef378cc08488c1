import { executorError } from '../errors.ts';
import { answerMs, callCli, type EngineCli, toLine } from './cli.ts';

/** `docker 20.10.24`. Fails with `executor/unavailable` when the engine does not answer. */
export async function readVersion(cli: EngineCli, args: readonly string[], name: string): Promise<string> {
  const { exitCode, stdout, stderr } = await callCli(cli, args, { timeoutMs: answerMs });
  const version = stdout.match(/\d+\.\d+\S*/)?.[0];
  if (exitCode === 0 && version !== undefined) return `${name} ${version}`;
  throw executorError('executor/unavailable', `${name} does not answer: ${toLine(stderr) || `exit code ${exitCode}`}`, {
    hint: cli.hint,
  });
}
