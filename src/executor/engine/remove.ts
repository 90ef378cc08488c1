import { answerMs, callCli, type EngineCli } from './cli.ts';

/** Removes containers, running or not; those that are not there are no failure. Fails when the engine does not answer. */
export async function removeContainers(cli: EngineCli, names: readonly string[]): Promise<void> {
  await callCli(cli, ['rm', '--force', '--volumes', ...(cli.removeArgs ?? []), ...names], { timeoutMs: answerMs });
}

/** Removes containers that have ended, by one call at a time. Those of an engine that does not answer are left to `reap`. */
export interface Remover {
  /** Resolves when it is gone, or was given up. */
  remove(name: string): Promise<void>;
  /** A container is being started. Returns the call that says: no longer. */
  starting(): () => void;
}

/** The next start of a chain comes sooner. */
const pauseMs = 100;

/**
 * Up to `together` wait for one another and for a moment without a start, where a removal would hold up the start by the engine's locks.
 * Those that come while a call runs share the next.
 */
export function createRemover(cli: EngineCli, together = 1): Remover {
  let waiting: { name: string; resolve: () => void }[] = [];
  let starts = 0;
  let isRemoving = false;
  let timer: NodeJS.Timeout | undefined;
  const removeWaiting = async (): Promise<void> => {
    const ended = waiting;
    waiting = [];
    isRemoving = true;
    const names = ended.map(({ name }) => name);
    await removeContainers(cli, names).catch(() => {});
    isRemoving = false;
    for (const { resolve } of ended) resolve();
    consider();
  };
  const consider = (): void => {
    clearTimeout(timer);
    if (isRemoving || waiting.length === 0) return;
    if (waiting.length >= together) void removeWaiting();
    else if (starts === 0) timer = setTimeout(removeWaiting, pauseMs);
  };
  return {
    remove: (name) =>
      new Promise((resolve) => {
        waiting.push({ name, resolve });
        consider();
      }),
    starting() {
      starts += 1;
      consider();
      return () => {
        starts -= 1;
        consider();
      };
    },
  };
}
