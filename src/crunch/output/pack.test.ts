import { mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readBytes } from '../../keep/file-reader.ts';
import { createMemoryBlockStore } from '../../keep/memory-store.ts';
import type { OutputFile } from './node.ts';
import { createPack } from './pack.ts';

const mebibyte = 1024 * 1024;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hallmark-pack-'));
});
afterEach(() => rm(folder, { recursive: true }));

const newFile = (): OutputFile => ({ kind: 'file', sizeBytes: 0, segments: [] });
const segmentsOf = ({ segments }: OutputFile) => segments.map(({ offset, length }) => [offset, length]);

/** A file of holes that ends in `text`. */
async function makeFile(name: string, sizeBytes: number, text: string): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, 'w');
  await file.write(text, sizeBytes - text.length);
  await file.close();
  return path;
}

it('lays files end to end, across blocks of 64 MiB where they meet', async () => {
  const store = createMemoryBlockStore();
  const pack = createPack(store);
  const files = [newFile(), newFile(), newFile()] as const;
  await pack.add(await makeFile('a', 40 * mebibyte, 'end of a'), files[0]);
  await pack.add(await makeFile('empty', 0, ''), files[1]);
  await pack.add(await makeFile('b', 30 * mebibyte, 'end of b'), files[2]);
  await pack.finish();
  expect(files.map(segmentsOf)).toEqual([
    [[0, 40 * mebibyte]],
    [],
    [
      [40 * mebibyte, 24 * mebibyte],
      [0, 6 * mebibyte],
    ],
  ]);
  const bytes = await readBytes(store, { path: 'b', sizeBytes: 30 * mebibyte, segments: files[2].segments });
  expect(bytes.length).toBe(30 * mebibyte);
  expect(bytes.toString('latin1', bytes.length - 9)).toBe('\0end of b');
});

it('refuses what is no regular file any more', async () => {
  const pack = createPack(createMemoryBlockStore());
  await expect(pack.add(folder, newFile())).rejects.toMatchObject({ code: 'crunch/bad-output' });
  await writeFile(join(folder, 'target'), 'x');
  await symlink('target', join(folder, 'link'));
  await expect(pack.add(join(folder, 'link'), newFile())).rejects.toMatchObject({ code: 'ELOOP' });
});
