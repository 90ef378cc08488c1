import { createPlainProgress } from './plain.ts';
import { type Progress, silentProgress } from './progress.ts';

/** Live rows on a terminal, plain lines elsewhere, nothing when asked to be quiet. */
export async function openProgress(flags: {
  readonly quiet?: boolean;
  readonly debug?: boolean;
  readonly timestamps?: boolean;
}): Promise<Progress> {
  const stream = process.stderr;
  if (flags.quiet) return silentProgress;
  if (stream.isTTY && !flags.debug && process.env.TERM !== 'dumb' && !process.env.CI) {
    return (await import('./live.ts')).createLiveProgress(stream, Date.now);
  }
  const write = (line: string) => stream.write(`${flags.timestamps ? `${new Date().toISOString()} ` : ''}${line}\n`);
  return createPlainProgress(write, Date.now);
}
