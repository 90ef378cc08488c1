import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { noXattrs, type TarEntry } from './entry.ts';
import { readTar } from './read.ts';
import { type TarWriteMember, writeTar } from './write.ts';

const file = (path: string, text: string, more: Partial<TarEntry> = {}): TarWriteMember => {
  const body = Buffer.from(text);
  return {
    entry: {
      path,
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: 7,
      size: body.length,
      linkPath: '',
      xattrs: noXattrs,
      ...more,
    },
    body: [body],
  };
};

async function collect(source: AsyncIterable<Uint8Array>) {
  const found: { entry: TarEntry; text: string }[] = [];
  for await (const { entry, body } of readTar(source)) {
    found.push({ entry, text: Buffer.concat(await Array.fromAsync(body)).toString() });
  }
  return found;
}

const toBytes = async (members: TarWriteMember[]) => Buffer.concat(await Array.fromAsync(writeTar(members)));

describe('tar', () => {
  it('reads back what it writes: long names, big ids, links, attributes', async () => {
    const long = `${'d'.repeat(90)}/${'f'.repeat(120)}-ä`;
    const members: TarWriteMember[] = [
      file(long, 'x'.repeat(1000), {
        uid: 3_000_000,
        xattrs: new Map([['security.capability', Buffer.from([1, 255, 0, 61])]]),
      }),
      {
        entry: {
          path: 'l',
          type: 'symlink',
          mode: 0o777,
          uid: 1,
          gid: 2,
          size: 0,
          mtime: 0,
          linkPath: long,
          xattrs: noXattrs,
        },
      },
      {
        entry: {
          path: 'd',
          type: 'directory',
          mode: 0o1777,
          uid: 0,
          gid: 0,
          size: 0,
          mtime: 0,
          linkPath: '',
          xattrs: noXattrs,
        },
      },
    ];
    const found = await collect(writeTar(members));
    expect(found.map(({ entry }) => entry)).toEqual(members.map(({ entry }) => entry));
    expect(found[0]?.text).toBe('x'.repeat(1000));
  });

  it('gives equal bytes for equal members', async () => {
    expect(await toBytes([file('a', '1')])).toEqual(await toBytes([file('a', '1')]));
  });

  it('skips bodies that nobody reads, however the bytes are cut', async () => {
    const bytes = await toBytes([file('a', 'A'.repeat(700)), file('b', 'B')]);
    const pieces = Readable.from(
      Array.from({ length: Math.ceil(bytes.length / 7) }, (_, at) => bytes.subarray(at * 7, at * 7 + 7)),
    );
    const names: string[] = [];
    for await (const { entry } of readTar(pieces)) names.push(entry.path);
    expect(names).toEqual(['a', 'b']);
  });

  it('reads what GNU tar writes, and GNU tar what it writes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tar-'));
    try {
      const name = `${'n'.repeat(130)}.txt`;
      writeFileSync(join(folder, name), 'hello');
      symlinkSync('t'.repeat(120), join(folder, 'link'));
      const archive = execFileSync('tar', ['--format=gnu', '-C', folder, '-cf', '-', name, 'link']);
      const found = await collect(Readable.from([archive]));
      expect(found.map(({ entry }) => [entry.path, entry.linkPath])).toEqual([
        [name, ''],
        ['link', 't'.repeat(120)],
      ]);
      const listed = execFileSync('tar', ['-tf', '-'], { input: await toBytes([file(name, 'x'), file('b', '')]) });
      expect(listed.toString()).toBe(`${name}\nb\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['a cut archive', (bytes: Buffer) => bytes.subarray(0, 700), /ends in the middle/],
    ['a damaged header', (bytes: Buffer) => Buffer.concat([Buffer.from('zz'), bytes.subarray(2)]), /checksum/],
  ])('refuses %s', async (_name, damage, message) => {
    const bytes = damage(await toBytes([file('abc', 'x'.repeat(600))]));
    await expect(collect(Readable.from([bytes]))).rejects.toMatchObject({
      code: 'image/bad-archive',
      message: expect.stringMatching(message),
    });
  });

  it('refuses a body that is not as long as its entry says', async () => {
    const wrong = { ...file('a', 'xyz'), body: [Buffer.from('x')] };
    await expect(toBytes([wrong])).rejects.toThrow('expected 3 bytes of a, got 1');
  });
});
