import { setTimeout } from 'node:timers/promises';
import { answerMs, callCli, type EngineCli } from './cli.ts';

/** Removes containers, running or not; those that are not there are no failure. Fails when the engine does not answer. */
export async function removeContainers(cli: EngineCli, names: readonly string[]): Promise<void> {
  await callCli(cli, ['rm', '--force', '--volumes', ...(cli.removeArgs ?? []), ...names], { timeoutMs: answerMs });
}

/** When containers that have ended are removed. */
export interface Gathering {
  /** Whether others are under way, which a removal would hold up: an engine without a daemon has its locks alone to order them. */
  isBusy(): boolean;
}

/** So many are removed together, or as many as have come after so many looks. */
const gathered = { most: 4, lookMs: 40, looks: 50 };

/**
 * Removes containers that have ended, by one call at a time: those that come meanwhile share the next, and with `gathering` wait for
 * others while there are any. An engine that does not answer leaves them to `reap`.
 */
export function createRemover(cli: EngineCli, gathering?: Gathering): (name: string) => Promise<void> {
  let waiting: string[] = [];
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const gather = async ({ isBusy }: Gathering): Promise<void> => {
    for (let looks = 0; looks < gathered.looks && waiting.length < gathered.most; looks += 1) {
      await setTimeout(gathered.lookMs);
      if (!isBusy()) return;
    }
  };
  const removeWaiting = async (): Promise<void> => {
    if (gathering) await gather(gathering);
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
