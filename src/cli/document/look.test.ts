import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { look } from './look.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-look-'));
  writeFileSync(join(folder, 'a b.txt'), '');
  mkdirSync(join(folder, 'dir'));
  symlinkSync('loop', join(folder, 'loop'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['a b.txt', { kind: 'File' }],
  ['dir', { kind: 'Directory' }],
  ['ab.txt', { kind: 'none', near: 'a b.txt' }],
  ['other', { kind: 'none' }],
  ['a b.txt/inside', { kind: 'none' }],
  ['none/a', { kind: 'none' }],
  ['loop', undefined],
])('%s', (name, found) => expect(look(pathToFileURL(join(folder, name)).href)).toEqual(found));

it('is what a device is', () => expect(look('file:///dev/null')).toEqual({ kind: 'other' }));
