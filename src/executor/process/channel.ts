import type { Readable } from 'node:stream';

const saidLimit = 64 * 1024;

/** The text that the first process of a container and its caller exchange. Never fails: what ends it is an end. */
export interface Channel {
  /** All that came so far. */
  said(): string;
  /** The match, as soon as what was said has one; undefined when the other side ended without. */
  readUntil(pattern: RegExp): Promise<RegExpMatchArray | undefined>;
  readonly ended: Promise<void>;
}

export function openChannel(stream: Readable): Channel {
  let said = '';
  let isOver = false;
  let wake = (): void => {};
  const ended = new Promise<void>((resolve) => {
    const finish = (): void => {
      isOver = true;
      wake();
      resolve();
      stream.destroy();
    };
    stream.on('error', finish);
    stream.on('end', finish);
    stream.on('close', finish);
  });
  stream.on('data', (chunk: Buffer) => {
    if (said.length < saidLimit) said += chunk.toString();
    wake();
  });
  return {
    said: () => said,
    ended,
    async readUntil(pattern) {
      for (;;) {
        const found = said.match(pattern);
        if (found) return found;
        if (isOver) return undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
