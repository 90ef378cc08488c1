import { describe, expect, it } from 'vitest';
import { parseRunFlags, runHelp } from './run-flags.ts';

const first = (...args: string[]) => parseRunFlags(args, true);
const later = (...args: string[]) => parseRunFlags(args, false);

describe('flags before the document', () => {
  it('end at the document', () => {
    const { flags, given, rest } = first('--quiet', '--on-error', 'continue', 'a.cwl', '--quiet', 'b.yml', '--n', '5');
    expect(flags).toMatchObject({ quiet: true, onError: 'continue', outdir: '.', pull: 'missing', evalTimeout: 60 });
    expect(given).toEqual({ quiet: true, onError: 'continue' });
    expect(rest).toEqual(['a.cwl', '--quiet', 'b.yml', '--n', '5']);
  });

  it('take a value beside them or behind =, a short name, or a no', () => {
    const { given } = first(
      '--outdir=x',
      '-w',
      'sum.json',
      '--no-container',
      '--parallel-max',
      '3',
      '-t',
      'a',
      '-t',
      'b',
    );
    expect(given).toEqual({
      outdir: 'x',
      writeSummary: 'sum.json',
      container: false,
      parallelMax: 3,
      target: ['a', 'b'],
    });
  });

  it('count once, the last, unless they are lists', () => {
    expect(first('--outdir', 'a', '--quiet', '--outdir', 'b', '--no-quiet').given).toEqual({
      outdir: 'b',
      quiet: false,
    });
  });

  it('are told apart from unknown ones, with the nearest name', () => {
    expect(() => first('--outdri', 'x', 'a.cwl')).toThrow(/unknown flag --outdri/);
    expect(() => first('--outdri', 'a.cwl')).toThrow(
      expect.objectContaining({ code: 'cli/usage', hint: expect.stringContaining('outdir') }),
    );
  });

  it.each([
    [['--pull', 'sometimes', 'a.cwl'], '--pull: expected one of missing, newer, always, never, got sometimes'],
    [['--eval-timeout', 'soon', 'a.cwl'], '--eval-timeout: expected a number, got NaN'],
    [['--outdir'], 'Not enough arguments following: outdir'],
  ])('%j is refused', (args, message) => {
    expect(() => parseRunFlags(args, true)).toThrow(expect.objectContaining({ code: 'cli/usage', message }));
  });
});

describe('flags after the document', () => {
  it('leave what they do not know to its inputs', () => {
    const { given, rest, help } = later('--message', 'hi', '--quiet', '--n=5', '--help');
    expect(given).toEqual({ quiet: true });
    expect(rest).toEqual(['--message', 'hi', '--n=5']);
    expect(help).toBe(true);
  });
});

it('the help names every flag', async () => {
  const help = await runHelp();
  expect(help).toContain('--on-error');
  expect(help).toContain('folder for the output files');
});
