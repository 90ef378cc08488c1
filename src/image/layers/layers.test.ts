import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { type FakeMember, layerOf, tarOf } from '../../../test/fakes/registry-images.ts';
import { toDigest } from '../../core/ids.ts';
import { decompressLayer } from './decompress.ts';
import { readLayerEntries } from './entries.ts';
import { mergedTree } from './merged-tree.ts';
import { sanitizeLayer } from './sanitize.ts';

const scratch = mkdtempSync(join(tmpdir(), 'layers-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const stream = (bytes: Uint8Array) => Readable.from([bytes], { objectMode: false });
const link = (path: string, linkPath: string): FakeMember => ({ path, type: 'symlink', linkPath });
const hard = (path: string, linkPath: string): FakeMember => ({ path, type: 'hardlink', linkPath });
const whiteout = (path: string): FakeMember => ({ path, text: '' });

async function entries(members: readonly FakeMember[]) {
  const found = await Array.fromAsync(readLayerEntries(stream(tarOf(members))));
  return found.map((entry) =>
    entry.kind === 'entry' ? `${entry.type} ${entry.path} ${entry.linkPath}`.trim() : `${entry.kind} ${entry.path}`,
  );
}

describe('readLayerEntries', () => {
  it.each<[string, FakeMember[], string[]]>([
    [
      'makes names normal',
      [
        { path: './a//b/../c', text: '1' },
        { path: '/d', text: '2' },
      ],
      ['file a/c', 'file d'],
    ],
    [
      'goes through symlinks inside the root',
      [link('lib', 'usr/lib'), { path: 'lib/x', text: '1' }],
      ['symlink lib usr/lib', 'file usr/lib/x'],
    ],
    [
      'takes absolute targets from the root',
      [link('a', '/b'), { path: 'a/x', text: '1' }],
      ['symlink a /b', 'file b/x'],
    ],
    [
      'keeps targets that climb inside the root',
      [link('a', '../../../etc'), { path: 'a/x', text: '1' }],
      ['symlink a ../../../etc', 'file etc/x'],
    ],
    [
      'resolves hard links too',
      [link('l', 'd'), { path: 'd/f', text: '1' }, hard('g', '/l/f')],
      ['symlink l d', 'file d/f', 'hardlink g d/f'],
    ],
    [
      'reads whiteouts',
      [whiteout('d/.wh.x'), whiteout('d/.wh..wh..opq'), whiteout('.wh..wh.plnk')],
      ['whiteout d/x', 'opaque d'],
    ],
    ['lets a whiteout speak of lower layers only', [{ path: 'x', text: '1' }, whiteout('.wh.x')], ['file x']],
    ['lets a directory hide the lower one', [{ path: 'x/' }, whiteout('.wh.x')], ['directory x', 'opaque x']],
    [
      'drops devices',
      [
        { path: 'dev/null', type: 'char' },
        { path: 'sda', type: 'block' },
        { path: 'p', type: 'fifo' },
      ],
      ['fifo p'],
    ],
  ])('%s', async (_what, members, expected) => {
    expect(await entries(members)).toEqual(expected);
  });

  it.each<[string, FakeMember[], RegExp]>([
    ['a name above the root', [{ path: '../evil', text: '1' }], /leads out of the root/],
    ['a name that climbs in the middle', [{ path: 'a/../../evil', text: '1' }], /leads out of the root/],
    ['a hard link out', [hard('a', '../../etc/passwd')], /leads out of the root/],
    ['a hard link to what is not there', [hard('a', '/etc/passwd')], /no file of this layer/],
    ['a hard link to a directory', [{ path: 'd/' }, hard('a', 'd')], /no file of this layer/],
    ['a loop of symlinks', [link('a', 'b'), link('b', 'a'), { path: 'a/x', text: '1' }], /loop of symlinks/],
    ['a whiteout of the parent', [whiteout('d/.wh...')], /a whiteout named/],
    ['a whiteout of the directory itself', [whiteout('d/.wh..')], /a whiteout named/],
    ['something below a whiteout', [{ path: '.wh.a/b', text: '1' }], /below a whiteout/],
    [
      'a full directory that becomes a link',
      [{ path: 'd/x', text: '1' }, link('d', '/etc')],
      /a directory and something else/,
    ],
    [
      'a member below a file',
      [
        { path: 'f', text: '1' },
        { path: 'f/x', text: '1' },
      ],
      /below a file/,
    ],
    ['a root that is a link', [link('./', '/etc')], /a directory and something else/],
  ])('refuses %s', async (_what, members, message) => {
    await expect(entries(members)).rejects.toThrow(message);
    await expect(entries(members)).rejects.toMatchObject({ code: 'image/unsafe-layer' });
  });

  it('names each dropped device', async () => {
    const dropped: string[] = [];
    const tar = tarOf([{ path: 'dev/null', type: 'char' }]);
    await Array.fromAsync(readLayerEntries(stream(tar), { onDropped: (path) => dropped.push(path) }));
    expect(dropped).toEqual(['dev/null']);
  });
});

describe('sanitizeLayer', () => {
  async function extract(members: readonly FakeMember[]): Promise<string> {
    const root = mkdtempSync(join(scratch, 'root-'));
    const safe = await buffer(sanitizeLayer(stream(tarOf(members))));
    execFileSync('tar', ['-C', root, '--xattrs', '--xattrs-include=*', '-xpf', '-'], { input: safe });
    return root;
  }

  it('gives GNU tar only what lies inside the root', async () => {
    const outside = join(scratch, 'outside');
    mkdirSync(outside);
    const root = await extract([
      link('out', outside),
      { path: 'out/evil', text: 'x' },
      { path: '/etc/passwd', text: 'mine' },
    ]);
    expect(existsSync(join(outside, 'evil'))).toBe(false);
    expect(readFileSync(join(root, outside, 'evil'), 'utf8')).toBe('x');
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toBe('mine');
  });

  it('keeps owners, modes, times, hard links, long and odd names', async () => {
    const long = `${'a'.repeat(100)}/${'b'.repeat(120)}`;
    const root = await extract([
      { path: long, text: 'x', mode: 0o4750, mtime: 1_600_000_000 },
      hard('h', long),
      { path: 'n\nl', text: '' },
    ]);
    const stat = lstatSync(join(root, long));
    expect([stat.mode & 0o7777, stat.mtimeMs, stat.nlink]).toEqual([0o4750, 1_600_000_000_000, 2]);
    expect(existsSync(join(root, 'n\nl'))).toBe(true);
  });

  it('writes opaque directories as overlay xattrs, before or after the directory, and drops foreign ones', async () => {
    const redirect = new Map([
      ['user.overlay.redirect', Buffer.from('/etc')],
      ['user.note', Buffer.from('kept')],
    ]);
    const tar = tarOf([
      { path: 'a/', mode: 0o700, xattrs: redirect },
      whiteout('a/.wh..wh..opq'),
      whiteout('b/.wh..wh..opq'),
      { path: 'b/', mode: 0o711 },
      whiteout('.wh.c'),
      { path: 'c/' },
    ]);
    const safe = await buffer(sanitizeLayer(stream(tar)));
    const listed = execFileSync('tar', ['--xattrs', '-tvvf', '-'], { input: safe }).toString();
    expect(listed.match(/user.overlay.opaque/g)?.length).toBe(4);
    expect(listed).not.toContain('redirect');
    expect(listed.match(/user.note/g)?.length).toBe(2);
    expect(listed).toMatch(/^c--------- +0\/0 +0,0 .* c$/m);
  });

  it('gives the same bytes for its own output read again', async () => {
    const tar = tarOf([{ path: 'a/' }, { path: 'a/f', text: 'x' }, link('l', 'a/f'), hard('h', 'a/f')]);
    const once = await buffer(sanitizeLayer(stream(tar)));
    expect(await buffer(sanitizeLayer(stream(once)))).toEqual(once);
  });
});

describe('decompressLayer', () => {
  const tar = tarOf([{ path: 'a', text: 'x'.repeat(100_000) }]);

  it.each(['none', 'gzip', 'zstd'] as const)('unpacks %s', async (compression) => {
    expect(await buffer(await decompressLayer(layerOf(tar, compression)))).toEqual(tar);
  });

  it.each([
    [
      'another diff id',
      { ...layerOf(tar), diffId: toDigest(`sha256:${'0'.repeat(64)}`) },
      {},
      'image/digest-mismatch',
      /expected the diff id sha256:000/,
    ],
    ['a bomb', layerOf(tar), { maxBytes: 50_000 }, 'image/unsafe-layer', /unpacks to more than/],
    [
      'what is not gzip',
      { ...layerOf(tar, 'none'), descriptor: layerOf(tar).descriptor },
      {},
      'image/blob-damaged',
      /incorrect header check/,
    ],
  ])('refuses %s', async (_what, layer, options, code, message) => {
    const read = async () => buffer(await decompressLayer(layer, options));
    await expect(read()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('refuses a media type it cannot read', async () => {
    const layer = { ...layerOf(tar), descriptor: { ...layerOf(tar).descriptor, mediaType: 'application/x-rar' } };
    await expect(decompressLayer(layer)).rejects.toMatchObject({ code: 'image/unsupported-manifest' });
  });
});

describe('mergedTree', () => {
  const layers = [
    layerOf(
      tarOf([
        { path: 'etc/' },
        { path: 'etc/a', text: 'one' },
        { path: 'etc/b', text: 'two' },
        { path: 'old/x', text: 'x' },
        link('bin', 'usr/bin'),
        { path: 'usr/bin/sh', text: '#!' },
      ]),
    ),
    layerOf(
      tarOf([whiteout('etc/.wh.a'), { path: 'old', text: 'now a file' }, { path: 'c', text: 'see' }, hard('c2', 'c')]),
      'zstd',
    ),
    layerOf(tarOf([whiteout('etc/.wh..wh..opq'), { path: 'etc/n', text: 'new' }]), 'none'),
  ];

  it('squashes the layers and keeps each view', async () => {
    const tree = await mergedTree(layers);
    expect([...tree.entries.keys()].sort()).toEqual(['bin', 'c', 'c2', 'etc', 'etc/n', 'old', 'usr/bin/sh']);
    expect([...(tree.layers[0]?.entries.keys() ?? [])]).toContain('etc/a');
    expect(tree.layers[1]?.whiteouts).toEqual(new Set(['etc/a']));
    expect(tree.children('etc').map(({ path }) => path)).toEqual(['etc/n']);
  });

  it('follows symlinks inside the root', async () => {
    const tree = await mergedTree(layers);
    expect(tree.lookUp('/bin/../bin/sh')).toMatchObject({ path: 'usr/bin/sh', layer: 0, size: 2 });
    expect(tree.lookUp('../../etc/n')).toMatchObject({ path: 'etc/n', layer: 2 });
    expect(tree.lookUp('etc/a')).toBeUndefined();
  });

  it('reads one file and many', async () => {
    const tree = await mergedTree(layers);
    const shell = tree.lookUp('bin/sh');
    expect((await buffer(tree.readFile(shell ?? expect.fail('no shell')))).toString()).toBe('#!');
    const texts: Record<string, string> = {};
    const files = [...tree.entries.values()].filter(({ type }) => type === 'file');
    for await (const { entry, content } of tree.readFiles(files))
      texts[entry.path] = (await buffer(content)).toString();
    expect(texts).toEqual({ c: 'see', c2: 'see', old: 'now a file', 'usr/bin/sh': '#!', 'etc/n': 'new' });
  });
});
