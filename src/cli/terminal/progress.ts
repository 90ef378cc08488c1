import type { RunEvent } from '../../run/events.ts';

/** Shows a run while it goes on, on standard error. */
export interface Progress {
  event(event: RunEvent): void;
  /** Leaves the terminal as it should stay. Idempotent. */
  end(): Promise<void>;
}

export const silentProgress: Progress = { event() {}, async end() {} };
