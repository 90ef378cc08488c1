import { StringDecoder } from 'node:string_decoder';

const mask = '***';
/** Shorter ones would mask ordinary text and hide nothing. */
const minLength = 3;

/** Takes secrets out of text that comes in pieces. `push` holds back what may be the start of one; `flush` gives the rest. */
export interface Redactor {
  push(text: string): string;
  flush(): string;
}

export type OnOutput = (stream: 'stdout' | 'stderr', text: string) => void;

/** The two streams of a command as text without secrets, passed on as it comes. After `end` nothing is held back. */
export function createRedactedStreams(secrets: Iterable<Uint8Array>, onOutput: OnOutput) {
  const needles = [...secrets];
  const open = (stream: 'stdout' | 'stderr') => {
    const decoder = new StringDecoder('utf8');
    const redactor = createRedactor(needles);
    const pass = (text: string): void => {
      if (text !== '') onOutput(stream, text);
    };
    return {
      write: (chunk: Uint8Array) => pass(redactor.push(decoder.write(chunk))),
      end: () => pass(redactor.push(decoder.end()) + redactor.flush()),
    };
  };
  const streams = { stdout: open('stdout'), stderr: open('stderr') };
  return {
    write: (stream: 'stdout' | 'stderr', chunk: Uint8Array): void => streams[stream].write(chunk),
    end: (): void => {
      streams.stdout.end();
      streams.stderr.end();
    },
  };
}

export function createRedactor(secrets: Iterable<Uint8Array>): Redactor {
  const needles = toNeedles(secrets);
  const longest = Math.max(0, ...needles.map(({ length }) => length));
  let held = '';
  return {
    push(text) {
      const clean = redact(held + text, needles);
      const keep = longestStart(clean, needles, longest);
      held = clean.slice(clean.length - keep);
      return clean.slice(0, clean.length - keep);
    },
    flush() {
      const rest = redact(held, needles);
      held = '';
      return rest;
    },
  };
}

/** Whole, without the space around it, and line by line: output may show a key file in its parts. */
function toNeedles(secrets: Iterable<Uint8Array>): string[] {
  const needles = [...secrets].flatMap((secret) => {
    const text = Buffer.from(secret).toString();
    return [text.trim(), ...text.split(/\r?\n/).map((line) => line.trim())];
  });
  return [...new Set(needles)].filter(({ length }) => length >= minLength).sort((a, b) => b.length - a.length);
}

function redact(text: string, needles: readonly string[]): string {
  return needles.reduce((result, needle) => result.replaceAll(needle, mask), text);
}

/** Length of the longest end of `text` that is the start of a needle. */
function longestStart(text: string, needles: readonly string[], longest: number): number {
  for (let length = Math.min(longest - 1, text.length); length > 0; length -= 1) {
    const end = text.slice(text.length - length);
    if (needles.some((needle) => needle.startsWith(end))) return length;
  }
  return 0;
}
