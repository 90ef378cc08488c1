import { cliError } from './usage-error.ts';

/** Ctrl-C and its kind while a run goes on. */
export interface Interruption {
  /** Aborted by the first signal; the next one ends this process at once, as is the system's default. */
  readonly signal: AbortSignal;
  /** Rethrows what ended the run, as the one thing to say of it, if a signal came. */
  check(): void;
  close(): void;
}

const codes = { SIGINT: 'cli/interrupted', SIGTERM: 'cli/terminated' } as const;
const names = ['SIGINT', 'SIGTERM'] as const;

export function listenForInterruption(): Interruption {
  const stop = new AbortController();
  const onSignal = (name: (typeof names)[number]) => {
    close();
    stop.abort(
      cliError(codes[name], `interrupted by ${name}: the run was cancelled`, {
        hint: 'the same command again goes on from what was complete',
      }),
    );
  };
  const close = () => {
    for (const name of names) process.off(name, onSignal);
  };
  for (const name of names) process.on(name, onSignal);
  return { signal: stop.signal, check: () => stop.signal.throwIfAborted(), close };
}
