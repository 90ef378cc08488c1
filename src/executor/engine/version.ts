import { setTimeout } from 'node:timers/promises';
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

/** How often, and how long apart, an engine is asked that has answered before: something may be starting its daemon again. */
const patience = { times: 30, pauseMs: 500 };

export interface VersionReader {
  /** What it answered before, unless that is in doubt. */
  read(): Promise<string>;
  /** Something failed: it is asked again, and given time to come back. */
  doubt(): void;
}

/** Of an engine that may go away and come back. */
export function createVersionReader(cli: EngineCli, args: readonly string[], name: string): VersionReader {
  let known: string | undefined;
  let hasAnswered = false;
  const ask = async (): Promise<string> => {
    for (let left = hasAnswered ? patience.times : 0; ; left -= 1) {
      try {
        const version = await readVersion(cli, args, name);
        hasAnswered = true;
        return version;
      } catch (error) {
        if (left === 0) throw error;
      }
      await setTimeout(patience.pauseMs);
    }
  };
  return {
    async read() {
      known ??= await ask();
      return known;
    },
    doubt() {
      known = undefined;
    },
  };
}
