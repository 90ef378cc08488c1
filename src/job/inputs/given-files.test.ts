import { describe, expect, it } from 'vitest';
import { withCode } from '../../../test/fakes/job-kit.ts';
import { refuseNewHostFiles } from './given-files.ts';

const file = (location: string) => ({ class: 'File', location });
const given = { reads: [file('file:///d/x.fa')], refs: { class: 'Directory', location: 'file:///refs/hg38/' } };
const check = (value: unknown) => () => refuseNewHostFiles(value, given, 'x.valueFrom', { step: 's' });

describe('what an expression names', () => {
  it.each<[string, unknown]>([
    ['no file', { a: [1, 'file:///etc/passwd'] }],
    ['what it was given', given],
    ['what lies beside it', file('file:///d/x.fai')],
    ['what lies below', { class: 'Directory', location: '/refs/hg38/index' }],
    ['a literal', { class: 'File', basename: 'a', contents: 'b' }],
    ['a collection', file('keep:d41d8cd98f00b204e9800998ecf8427e+0/a')],
    ['the web', file('https://h/a')],
  ])('may be %s', (_what, value) => expect(check(value)).not.toThrow());

  it.each<[string, unknown]>([
    ['a file elsewhere', [file('file:///etc/passwd')]],
    ['a path', { class: 'Directory', location: '/etc' }],
    ['a way out of a folder', file('file:///d/../etc/passwd')],
    ['the same in other letters', file('file:///d/%2e%2E/etc/passwd')],
    ['a folder whose name starts alike', file('file:///dd/x')],
    ['a file in a literal folder', { class: 'Directory', listing: [file('file:///etc/passwd')] }],
    ['a secondary file', { ...file('file:///d/x.fa'), secondaryFiles: [file('file:///etc/passwd')] }],
  ])('may not be %s', (_what, value) =>
    expect(check(value)).toThrow(
      withCode('job/bad-location', /^x\.valueFrom: expected a (File|Directory) that the step was given, got /),
    ),
  );
});
