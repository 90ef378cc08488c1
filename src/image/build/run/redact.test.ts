import { describe, expect, it } from 'vitest';
import { createRedactor } from './redact.ts';

const through = (secrets: string[], pieces: string[]) => {
  const redactor = createRedactor(secrets.map((secret) => Buffer.from(secret)));
  return pieces.map((piece) => redactor.push(piece)).join('') + redactor.flush();
};

describe('createRedactor', () => {
  it.each<[string, string[], string[], string]>([
    ['nothing where there are no secrets', [], ['abc', 'def'], 'abcdef'],
    ['a secret', ['s3cret'], ['a s3cret b s3cret'], 'a *** b ***'],
    ['a secret in pieces', ['s3cret'], ['a s3', 'cr', 'et b'], 'a *** b'],
    ['what only starts like one', ['s3cret'], ['a s3', 'x'], 'a s3x'],
    ['a secret at the very end', ['s3cret'], ['a s3', 'cret'], 'a ***'],
    ['a secret without its line end', ['s3cret\n'], ['s3cret s3cret\n'], '*** ***\n'],
    ['each line of a key file', ['line-one\nline-two\n'], ['got line-two', ' and line-one'], 'got *** and ***'],
    ['the longer of two', ['abc', 'abcdef'], ['abcdef abc'], '*** ***'],
    ['no secret of a letter', ['x'], ['fox'], 'fox'],
  ])('takes out %s', (_what, secrets, pieces, expected) => {
    expect(through(secrets, pieces)).toBe(expected);
  });

  it('holds back no more than the start of a secret', () => {
    const redactor = createRedactor([Buffer.from('s3cret')]);
    expect(redactor.push('ready> ')).toBe('ready> ');
    expect(redactor.push('s3')).toBe('');
  });
});
