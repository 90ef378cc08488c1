import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeMountPoint } from './mount-point.ts';
import { resolveTarget } from './resolve.ts';

let folder: string;
let layers: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'resolve-'));
  layers = ['upper', 'lower'].map((name) => join(folder, name));
  const [upper = '', lower = ''] = layers;
  mkdirSync(join(lower, 'usr/lib'), { recursive: true });
  mkdirSync(join(lower, 'private'), { mode: 0o700 });
  writeFileSync(join(lower, 'usr/file'), '');
  symlinkSync('usr/lib', join(lower, 'lib'));
  symlinkSync('/../../../etc', join(lower, 'out'));
  symlinkSync('loop', join(lower, 'loop'));
  symlinkSync('usr', join(lower, 'covered'));
  mkdirSync(join(upper, 'covered'), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('resolveTarget', () => {
  it.each([
    ['/usr/lib', '/usr/lib', 'directory'],
    ['/usr/file', '/usr/file', 'file'],
    ['/lib/x/y', '/usr/lib/x/y', 'missing'],
    ['/lib/../file', '/usr/file', 'file'],
    ['/out/passwd', '/etc/passwd', 'missing'],
    ['/../../usr', '/usr', 'directory'],
    ['/covered', '/covered', 'directory'],
    ['/covered/x', '/covered/x', 'missing'],
    ['/', '/', 'directory'],
  ])('takes %s to %s (%s)', (target, path, kind) => {
    expect(resolveTarget(layers, target)).toMatchObject({ path, kind, rest: [] });
  });

  it('stops where something is mounted', () => {
    expect(resolveTarget(layers, '/lib/a/b', (path) => path === '/usr/lib')).toMatchObject({
      path: '/usr/lib',
      rest: ['a', 'b'],
    });
  });

  it.each([
    ['/loop', 'too many symbolic links'],
    ['/usr/file/x', '"/usr/file" is not a directory'],
  ])('refuses %s', (target, reason) => {
    expect(() => resolveTarget(layers, target)).toThrow(reason);
  });
});

describe('makeMountPoint', () => {
  it('makes folders that look like those they cover', () => {
    const made = join(folder, 'made');
    mkdirSync(made);
    makeMountPoint(made, layers, '/private/a/b', 'file');
    makeMountPoint(made, layers, '/private/a', 'directory');
    expect(resolveTarget([made], '/private/a/b').kind).toBe('file');
    expect(modeOf(join(made, 'private'))).toBe(0o700);
    expect(modeOf(join(made, 'private/a'))).toBe(0o755);
  });
});

const modeOf = (path: string): number => statSync(path).mode & 0o7777;
