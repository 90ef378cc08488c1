import { isHallmarkError, toMessage } from '../../core/errors.ts';
import { redact } from '../../image/redact.ts';
import { runError } from '../errors.ts';
import type { AskUrl, UrlAnswer, UrlQuestion } from './port.ts';

/** The last part of the path; a collection's file needs some name. */
export function nameIn(url: string): string {
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  return /^\.{0,2}$/.test(name) ? 'download' : name;
}

/** The bytes of an answer; fails with `run/download-failed` where they are not all that was promised. */
export async function* readWhole(url: string, { headers, body }: UrlAnswer): AsyncGenerator<Uint8Array> {
  const expected = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  let got = 0;
  try {
    for await (const chunk of body) {
      got += chunk.length;
      yield chunk;
    }
  } catch (cause) {
    throw cut(url, got, expected, cause);
  }
  if (expected !== undefined && got !== expected) throw cut(url, got, expected);
}

/** As `ask`, but that a server which cannot be reached is `run/download-failed`. */
export async function askServer(ask: AskUrl, url: string, question: UrlQuestion): Promise<UrlAnswer> {
  try {
    return await ask(url, question);
  } catch (cause) {
    if (isHallmarkError(cause)) throw cause;
    throw runError('run/download-failed', `cannot download ${redact(url)}: ${toMessage(cause)}`, {
      hint: 'check the address and the network; --prefer-cached-downloads takes what an earlier run downloaded',
      cause,
      retryable: true,
    });
  }
}

/** `run/download-failed` for a status that is no answer. */
export const refused = (url: string, status: number) =>
  runError('run/download-failed', `cannot download ${redact(url)}: the server answers ${status}`, {
    hint:
      status === 401 || status === 403
        ? 'the server wants credentials: download the file and give its path'
        : 'check the address: try it in a browser',
    retryable: status >= 500 || status === 429,
  });

function cut(url: string, got: number, expected: number | undefined, cause?: unknown) {
  const of = expected === undefined ? '' : ` of ${expected}`;
  return runError(
    'run/download-failed',
    `cannot download ${redact(url)}: the connection was cut after ${got}${of} bytes`,
    {
      hint: 'run it again',
      cause,
      retryable: true,
    },
  );
}
