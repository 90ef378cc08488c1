import type { Life } from './life.ts';
import { withRetries } from './retry.ts';

/** Nobody looks at what comes back. */
const onTheSide = { select: ['uuid'], lazy: true };

/** A report that is under way. */
export interface Report {
  /** Calls back once the cluster refuses it. */
  onRefused(end: () => void): void;
  /** Before the next report: fails as this one was refused. Waits only where it has to be made again. */
  settle(): Promise<void>;
}

/**
 * Reports Running while the command is being started: to wait for it would cost a short command a transaction of its own. A
 * runner that is killed in between leaves a container that is Locked, and that goes back into the queue; one whose report is
 * refused is ended.
 */
export function reportRunning({ container, deps }: Pick<Life, 'container' | 'deps'>): Report {
  let isHeldUp = false;
  const done = withRetries(() =>
    deps.api.update('containers', container.uuid, { state: 'Running' }, onTheSide).catch((error: unknown) => {
      isHeldUp = true;
      throw error;
    }),
  );
  done.catch(() => {});
  return {
    onRefused: (end) => void done.catch(end),
    async settle() {
      if (isHeldUp) await done;
    },
  };
}
