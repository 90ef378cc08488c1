import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type Clock, toRfc3339Nano } from '../../core/clock.ts';
import type { Uuid } from '../../core/ids.ts';
import { type FinishedLog, LogFile } from './log-file.ts';
import { createLineStamper } from './timestamps.ts';

/** Where the log of a running container can be read, and stays when it could not be saved. */
export const liveLogDir = (workDir: string, uuid: Uuid): string => join(workDir, 'logs', uuid);

/** The log of one container: `crunch-run.txt`, `stdout.txt`, `stderr.txt`, `node-info.json`, `container.json`, `crunchstat.txt`. */
export interface ContainerLogs {
  readonly directory: string;
  /** A line of `crunch-run.txt`. */
  line(text: string): void;
  /** A line of `crunchstat.txt`. */
  sample(text: string): void;
  /** A stream into `name` whose lines get their times. */
  stream(name: 'stdout.txt' | 'stderr.txt'): Writable;
  /** A whole file. */
  put(name: string, text: string): void;
  /** Everything written so far; what comes later is not in it. Empty files are left out. */
  finish(): Promise<FinishedLog[]>;
  /** Makes what is held visible in the live files, as far as the disk allows. */
  keepLive(): Promise<void>;
  /** Ends the live log: its content is in Keep now. */
  discard(): Promise<void>;
}

export function createContainerLogs(directory: string, clock: Clock): ContainerLogs {
  const files = new Map<string, LogFile>();
  const file = (name: string): LogFile => {
    const known = files.get(name) ?? new LogFile(name, join(directory, name));
    files.set(name, known);
    return known;
  };
  const stamped = (name: string, text: string): void => {
    const time = toRfc3339Nano(clock.nowNs());
    const lines = text.split('\n').map((line) => `${time} ${line}\n`);
    file(name).append([Buffer.from(lines.join(''))]);
  };
  const all = () => [...files.values()];
  return {
    directory,
    line: (text) => stamped('crunch-run.txt', text),
    sample: (text) => stamped('crunchstat.txt', text),
    stream: (name) => toWritable(file(name), clock),
    put: (name, text) => void file(name).append([Buffer.from(text)]),
    async finish() {
      const finished = await Promise.all(all().map((one) => one.finish()));
      return finished.filter((one) => one !== undefined);
    },
    async keepLive() {
      await Promise.allSettled(all().map((one) => one.spill()));
      await Promise.all(all().map((one) => one.close()));
    },
    async discard() {
      const spilled = all().map((one) => one.close());
      await Promise.all(spilled);
      if (all().some((one) => one.spilled)) await rm(directory, { recursive: true, force: true });
    },
  };
}

function toWritable(file: LogFile, clock: Clock): Writable {
  const stamper = createLineStamper(clock);
  const push = (parts: Uint8Array[], done: (error?: Error | null) => void): void => {
    const pending = file.append(parts);
    if (pending) pending.then(() => done(), done);
    else done();
  };
  const writable = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => push(stamper.stamp(chunk), done),
    final: (done) => push(stamper.end(), done),
  });
  // Who writes learns of a full disk from the stream, and `finish` of the file says it again; nobody need listen at that moment.
  writable.on('error', () => {});
  return writable;
}
