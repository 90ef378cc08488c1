import type { Life } from './life.ts';

/** Progress is for people: one update of the record in this time at most. */
const intervalMs = 500;

/** Writes `runtime_status.activity`: the latest text, one update at a time. A failed update is no failure of the work. */
export function createActivity({ container, deps }: Life): { set(text: string): void; end(): Promise<void> } {
  let wanted: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  const write = (): void => {
    timer = undefined;
    const activity = wanted;
    wanted = undefined;
    if (activity === undefined) return;
    const update = deps.api.update('containers', container.uuid, { runtime_status: { activity } });
    writing = update.catch(() => {});
    timer = setTimeout(write, intervalMs);
  };
  return {
    set(text) {
      wanted = text;
      if (timer === undefined) write();
    },
    async end() {
      wanted = undefined;
      clearTimeout(timer);
      await writing;
    },
  };
}
