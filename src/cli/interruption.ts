import { cliError } from './errors.ts';

/** Ctrl-C and its kind, and a terminal that is closed, while a run goes on. */
export interface Interruption {
  /** Aborted by the first signal; the next one, but for SIGHUP, ends this process at once, as is the system's default. */
  readonly signal: AbortSignal;
  /** Rethrows what ended the run, as the one thing to say of it, if a signal came. */
  check(): void;
  close(): void;
}

const codes = { SIGHUP: 'cli/hung-up', SIGINT: 'cli/interrupted', SIGTERM: 'cli/terminated' } as const;
const names = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** Node.js forgets at its start which signals are to be ignored: bin/cwl-runner looks before. */
const outlivesTerminal = process.env.HALLMARK_NOHUP === '1';

export function listenForInterruption(): Interruption {
  const stop = new AbortController();
  const onSignal = (name: (typeof names)[number]) => {
    if (name === 'SIGHUP' && outlivesTerminal) return;
    close();
    process.on('SIGHUP', () => {}); // A terminal that is closed says so more than once.
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
