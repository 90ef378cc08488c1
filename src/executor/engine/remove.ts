import { answerMs, callCli, type EngineCli } from './cli.ts';

/** Removes containers, running or not; those that are not there are no failure. Fails when the engine does not answer. */
export async function removeContainers(cli: EngineCli, names: readonly string[]): Promise<void> {
  await callCli(cli, ['rm', '--force', '--volumes', ...(cli.removeArgs ?? []), ...names], { timeoutMs: answerMs });
}

/**
 * Removes containers that have ended, by one call at a time: those that come meanwhile share the next. An engine that does not
 * answer leaves them to `reap`.
 */
export function createRemover(cli: EngineCli): (name: string) => Promise<void> {
  let waiting: string[] = [];
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const removeWaiting = async (): Promise<void> => {
    const names = waiting;
    waiting = [];
    next = undefined;
    await removeContainers(cli, names).catch(() => {});
  };
  return (name) => {
    waiting.push(name);
    if (next === undefined) last = next = last.then(removeWaiting);
    return next;
  };
}
