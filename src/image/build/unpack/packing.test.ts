import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Packing, sniffPacking, unpack } from './packing.ts';

/** Random, repeated, equal and text bytes: every kind of block. */
const samples: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  'equal bytes': Buffer.alloc(2_000_000, 'a'),
  'runs of every length': Buffer.concat(Array.from({ length: 600 }, (_, length) => Buffer.alloc(length, length % 7))),
  'random bytes': randomBytes(1_000_000),
  'repeated random bytes': Buffer.concat(Array(8).fill(randomBytes(120_000))),
  'lines of text': Buffer.from(Array.from({ length: 60_000 }, (_, line) => `line ${line * 7919}\n`).join('')),
};

const pack = (program: string, content: Buffer, ...flags: string[]) =>
  execFileSync(program, ['-c', ...flags], { input: content, maxBuffer: 1e8 });

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unpacked(packed: Buffer, packing: Packing, size = 65_536): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(unpack(inPieces(packed, size), packing)));
}

const sum = (bytes: Buffer) => `${bytes.length} ${createHash('sha1').update(bytes).digest('hex')}`;

const isMissing = (program: string) => spawnSync(program, ['--version']).error !== undefined;

for (const packing of ['bzip2', 'xz', 'gzip'] as const)
  describe.skipIf(isMissing(packing))(`what ${packing} packed`, () => {
    it.each(Object.entries(samples))('unpacks: %s', async (_what, content) => {
      for (const flag of ['-1', '-9']) {
        const packed = pack(packing, content, flag);
        expect(sniffPacking(packed)).toBe(packing);
        expect(sum(await unpacked(packed, packing))).toBe(sum(content));
      }
    });

    it('unpacks however it comes, and streams one after another', async () => {
      const content = Buffer.from('some text');
      const packed = pack(packing, content);
      expect(String(await unpacked(packed, packing, 1))).toBe('some text');
      expect(String(await unpacked(Buffer.concat([packed, packed]), packing, 7))).toBe('some textsome text');
    });

    it('fails where it is cut off, wherever that is', async () => {
      const packed = pack(packing, Buffer.from('some text that takes a few bytes'));
      for (let length = 1; length < packed.length; length += 1)
        await expect(unpacked(packed.subarray(0, length), packing)).rejects.toThrow();
    });

    it('never gives other bytes without a word', async () => {
      const content = Buffer.from('some text that takes a few bytes'.repeat(9));
      const packed = pack(packing, content);
      for (let bit = 80; bit < packed.length * 8; bit += 1) {
        const changed = Buffer.from(packed);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const got = await unpacked(changed, packing).catch(() => content);
        expect(String(got)).toBe(String(content));
      }
    });

    it('lets go of its source when its reader stops', async () => {
      let isClosed = false;
      const source = async function* () {
        try {
          yield* inPieces(pack(packing, samples['lines of text'] ?? Buffer.alloc(0)), 1000);
        } finally {
          isClosed = true;
        }
      };
      for await (const _chunk of unpack(source(), packing)) break;
      await expect.poll(() => isClosed).toBe(true);
      expect(String(await unpacked(pack(packing, Buffer.from('next')), packing))).toBe('next');
    });
  });

describe('hostile archives', () => {
  it('of bzip2 with random blocks fail, and do not hang', async () => {
    const head = Buffer.concat([Buffer.from('BZh9'), Buffer.from('314159265359', 'hex'), Buffer.alloc(4)]);
    for (let turn = 0; turn < 200; turn += 1)
      await expect(unpacked(Buffer.concat([head, randomBytes(500)]), 'bzip2')).rejects.toThrow(/bzip2 stream/);
  });

  it.skipIf(isMissing('xz'))('of xz that ask for a large dictionary are refused', async () => {
    const packed = pack('xz', Buffer.from('text'), '--lzma2=dict=1536MiB');
    await expect(unpacked(packed, 'xz')).rejects.toMatchObject({
      code: 'image/unsupported-instruction',
      message: 'the archive is packed by xz with settings that are not supported',
      hint: expect.stringContaining('COPY'),
    });
  });
});
