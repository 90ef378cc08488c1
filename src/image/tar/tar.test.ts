import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { tarOf } from '../../../test/fakes/registry-images.ts';
import { decodeName, encodeName } from './names.ts';
import { readTar } from './read.ts';
import { type ByteSource, rangeSource, streamSource } from './source.ts';
import { tarHeader } from './write.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tar-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Cut into odd pieces, so that no block lies in one chunk. */
function* pieces(bytes: Buffer, size = 333) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const fromStream = (bytes: Buffer) => streamSource(Readable.from(pieces(bytes), { objectMode: false }));
const fromRange = (bytes: Buffer) =>
  rangeSource({ sizeBytes: bytes.length, openRange: (start, end) => Readable.from([bytes.subarray(start, end)]) });

async function list(source: ByteSource) {
  const found = [];
  for await (const { content, ...entry } of readTar(source)) {
    found.push({ ...entry, text: Buffer.concat(await Array.fromAsync(content())).toString() });
  }
  return found;
}

describe.each([
  ['stream', fromStream],
  ['range', fromRange],
])('readTar from a %s', (_name, open) => {
  it('reads back what was written', async () => {
    const long = `${'d'.repeat(90)}/${'f'.repeat(90)}`;
    const members = [
      { path: 'dir/', mtime: 5 },
      { path: long, text: 'long', uid: 3_000_000, gid: 7, mtime: 1.25 },
      { path: 'ln', type: 'symlink' as const, linkPath: `../${long}` },
      { path: 'h', type: 'hardlink' as const, linkPath: long },
      { path: 'x', text: 'y', xattrs: new Map([['user.a', Buffer.from([0, 255, 10])]]) },
      { path: 'caf\udce9', text: '' },
    ];
    const found = await list(open(tarOf(members)));
    expect(found.map(({ path, type, linkPath, text }) => [path, type, linkPath, text])).toEqual([
      ['dir/', 'directory', '', ''],
      [long, 'file', '', 'long'],
      ['ln', 'symlink', `../${long}`, ''],
      ['h', 'hardlink', long, ''],
      ['x', 'file', '', 'y'],
      ['caf\udce9', 'file', '', ''],
    ]);
    expect(found[1]).toMatchObject({ uid: 3_000_000, gid: 7, mtime: 1.25, mode: 0o644 });
    expect([...(found[4]?.xattrs ?? [])]).toEqual([['user.a', Buffer.from([0, 255, 10])]]);
  });

  it.each(['gnu', 'oldgnu', 'posix', 'ustar', 'v7'])('reads what GNU tar writes as %s', async (format) => {
    const root = mkdtempSync(join(scratch, format));
    const name = format === 'v7' ? 'short' : 'n'.repeat(format === 'ustar' ? 99 : 150);
    writeFileSync(join(root, name), 'content of it');
    const bytes = execFileSync('tar', ['-C', root, `--format=${format}`, '-cf', '-', '.']);
    const found = await list(open(bytes));
    expect(found.map(({ path, text }) => [path, text])).toEqual([
      ['./', ''],
      [`./${name}`, 'content of it'],
    ]);
  });

  it.each([
    ['gnu', []],
    ['posix', ['--sparse-version=0.0']],
    ['posix', ['--sparse-version=0.1']],
    ['posix', ['--sparse-version=1.0']],
  ])('reads sparse files of GNU tar: %s %s', async (format, args) => {
    const root = mkdtempSync(join(scratch, 'sparse-'));
    const path = join(root, 'holes');
    writeFileSync(path, 'start');
    const file = openSync(path, 'r+');
    for (let at = 1; at <= 30; at += 1) writeSync(file, 'x', at * 65536);
    closeSync(file);
    truncateSync(path, 31 * 65536);
    const bytes = execFileSync('tar', [
      '-C',
      root,
      '--sparse',
      `--format=${format}`,
      ...args,
      '-cf',
      '-',
      'holes',
      '-C',
      scratch,
      '-T',
      '/dev/null',
    ]);
    expect(bytes.length).toBeLessThan(1_000_000);
    const [entry, ...rest] = await list(open(bytes));
    expect(rest).toEqual([]);
    expect(entry).toMatchObject({ path: 'holes', size: 31 * 65536 });
    expect(entry?.text.replaceAll('\0', '')).toBe(`start${'x'.repeat(30)}`);
    expect(entry?.text[7 * 65536]).toBe('x');
  });

  it('stops at the first zero block', async () => {
    const bytes = Buffer.concat([tarOf([{ path: 'a', text: '1' }]), tarOf([{ path: 'hidden', text: '2' }])]);
    expect((await list(open(bytes))).map(({ path }) => path)).toEqual(['a']);
  });

  it.each([
    ['a damaged header', () => tarOf([{ path: 'a', text: '1' }]).fill('z', 0, 1), /header checksum/],
    ['a cut header', () => tarOf([{ path: 'a', text: '1' }]).subarray(0, 300), /ends 212 bytes too early/],
    ['cut content', () => tarOf([{ path: 'a', text: 'x'.repeat(3000) }]).subarray(0, 1500), /too early/],
    ['a size that lies', () => tarHeader({ path: 'a', type: 'file', size: 2 ** 40 }), /too early/],
  ])('refuses %s', async (_what, make, message) => {
    await expect(list(open(make()))).rejects.toThrow(message);
    await expect(list(open(make()))).rejects.toMatchObject({ code: 'image/bad-archive' });
  });

  it('leaves content unread when it is not asked for', async () => {
    const paths = [];
    for await (const member of readTar(
      open(
        tarOf([
          { path: 'a', text: 'x'.repeat(5000) },
          { path: 'b', text: 'y' },
        ]),
      ),
    ))
      paths.push(member.path);
    expect(paths).toEqual(['a', 'b']);
  });
});

describe('names', () => {
  it.each([
    [[0x61]],
    [[0xc3, 0xa9]],
    [[0xff]],
    [[0xc3]],
    [[0xf0, 0x9f, 0x98, 0x80, 0x80]],
    [[0xed, 0xb3, 0xbf]],
    [[0xef, 0xbf, 0xbd]],
  ])('keeps the bytes %j', (bytes) => {
    expect([...encodeName(decodeName(Buffer.from(bytes)))]).toEqual(bytes);
  });
});

describe('tarHeader', () => {
  it('is read by GNU tar, whatever the names', () => {
    const deep = `${'ü'.repeat(80)}/x`;
    const bytes = tarOf([
      { path: deep, text: 'hello' },
      { path: 'l', type: 'symlink', linkPath: 't'.repeat(200) },
    ]);
    const out = execFileSync('tar', ['-tvf', '-', '--quoting-style=literal'], { input: bytes }).toString();
    expect(out).toContain(deep);
    expect(out).toContain(`l -> ${'t'.repeat(200)}`);
  });
});

it('reads nothing of the parts of a file whose members are passed over', async () => {
  const bytes = tarOf([
    { path: 'small', text: 'a' },
    { path: 'large', text: 'b'.repeat(8192) },
    { path: 'last', text: 'c' },
  ]);
  const parts = [1024 + 512, 1024 + 512 + 8192, bytes.length];
  const partOf = (offset: number) => parts.findIndex((end) => offset < end);
  const seen = new Set<number>();
  const source = rangeSource({
    sizeBytes: bytes.length,
    partEnd: (offset) => parts[partOf(offset)] ?? bytes.length,
    openRange(start, end) {
      for (let part = partOf(start); part <= partOf(end - 1); part += 1) seen.add(part);
      return Readable.from([bytes.subarray(start, end)]);
    },
  });
  const paths = [];
  for await (const { path } of readTar(source)) paths.push(path);
  expect(paths).toEqual(['small', 'large', 'last']);
  expect([...seen]).toEqual([0, 2]);
});
