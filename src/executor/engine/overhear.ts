import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Writable } from 'node:stream';
import type { StreamTarget } from '../port.ts';

const keptBytes = 4096;
/** Where to read on, and what the programs log beside their message. */
const isNoise = /^(See|Run) '|^time=/;

export interface Overheard {
  /** Passes everything on to the target that was given. */
  readonly target: StreamTarget;
  /** The last line so far that is not empty, without the word that marks it as an error. */
  lastLine(): Promise<string>;
}

/** Listens to what a program says on its way to `target`. */
export function overhear(target: StreamTarget): Overheard {
  if (target.kind === 'file') return { target, lastLine: async () => lastLineOf(readEnd(target.path)) };
  let end = Buffer.alloc(0);
  const listening = new Writable({
    write(chunk: Buffer, _encoding, done) {
      end = Buffer.concat([end, chunk]).subarray(-keptBytes);
      if (target.kind === 'stream') target.writable.write(chunk, done);
      else done();
    },
  });
  // Who writes learns of a failure from its own call.
  listening.on('error', () => {});
  return { target: { kind: 'stream', writable: listening }, lastLine: async () => lastLineOf(end.toString()) };
}

const lastLineOf = (text: string): string => {
  const lines = text.split('\n').map((line) => line.trim());
  return (lines.findLast((line) => line !== '' && !isNoise.test(line)) ?? '').replace(/^(Error|docker|podman): /i, '');
};

function readEnd(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(keptBytes);
    const start = Math.max(0, fstatSync(descriptor).size - keptBytes);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, keptBytes, start));
  } finally {
    closeSync(descriptor);
  }
}
