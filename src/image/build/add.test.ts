import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { directory, file, toLayer } from '../../../test/contract/layers.ts';
import { createFakeBuildSandbox } from '../../../test/fakes/build-sandbox.ts';
import { createMemoryLayerCache } from '../../../test/fakes/layer-cache.ts';
import { packedTar } from '../../../test/fakes/packed-tar.ts';
import { mergedTree } from '../layers/merged-tree.ts';
import type { Image } from '../model.ts';
import { buildImage } from './build.ts';
import type { RemoteContent } from './copy/remote-tree.ts';
import { planBuild } from './plan/plan.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const clampSeconds = 1_700_000_000;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'add-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, content: string | Buffer): string {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content, { mode: 0o755 });
  return whole;
}

const fetched = (content: string | Buffer, modifiedSeconds?: number): RemoteContent => ({
  kind: 'file',
  path: write(`fetched/${Math.random()}/name in keep`, content),
  ...(modifiedSeconds !== undefined && { modifiedSeconds }),
});

async function build(
  lines: string,
  remotes: Readonly<Record<string, RemoteContent>>,
  cache = createMemoryLayerCache(),
) {
  const plan = planBuild(`FROM scratch\n${lines}`, { platform });
  const context = { contextDir: folder, bases: new Map(), sandbox: createFakeBuildSandbox(), cache, clampSeconds };
  return buildImage({ plan, remotes: new Map(Object.entries(remotes)), ...context });
}

/** `path mode uid:gid mtime text` */
async function listing(image: Image): Promise<string[]> {
  const tree = await mergedTree(image.layers);
  const lines: string[] = [];
  for (const [path, entry] of [...tree.entries].sort()) {
    if (entry.type !== 'file') continue;
    const text = Buffer.concat(await Array.fromAsync(tree.readFile(entry))).toString();
    lines.push(`${path} ${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${entry.mtime} ${text}`);
  }
  return lines;
}

const url = 'https://h/a/tool%20kit.sh?x=1';

describe('ADD of what was fetched', () => {
  it.each([
    ['goes into a directory by its name', `ADD ${url} /d/`, 'd/tool kit.sh 600 0:0 1234 x'],
    ['is called as the destination says', `ADD ${url} /d/name`, 'd/name 600 0:0 1234 x'],
    ['goes into a directory that is there', `WORKDIR /d\nADD ${url} .`, 'd/tool kit.sh 600 0:0 1234 x'],
    ['needs no name where it gets one', 'ADD https://h/ /d/name', 'd/name 600 0:0 1234 x'],
    ['has the owner and mode that are asked for', `ADD --chown=7:8 --chmod=755 ${url} /n`, 'n 755 7:8 1234 x'],
    ['has a name that means nothing to a shell', 'ADD https://h/%5Ba%2A%24b /d/', 'd/[a*$b 600 0:0 1234 x'],
    ['never leaves its directory', 'ADD https://h/..%2F..%2Fetc%2Fx /d/', 'd/x 600 0:0 1234 x'],
  ])('%s', async (_what, lines, expected) => {
    const remotes = Object.fromEntries(
      lines.split(/\s+/).flatMap((word) => (word.startsWith('https:') ? [[word, fetched('x', 1234)]] : [])),
    );
    expect(await listing(await build(lines, remotes))).toEqual([expected]);
  });

  it('is as old as the server says, never younger than the build, and without a word of it as the epoch', async () => {
    const image = await build('ADD http://h/old http://h/new http://h/none /', {
      'http://h/old': fetched('', 1),
      'http://h/new': fetched('', 2e9),
      'http://h/none': fetched(''),
    });
    expect(await listing(image)).toEqual(['new 600 0:0 1700000000 ', 'none 600 0:0 0 ', 'old 600 0:0 1 ']);
  });

  it('stands beside files of the context, in their order', async () => {
    write('local', 'of the context');
    const image = await build('ADD local http://h/f /', { 'http://h/f': fetched('f') });
    expect(await listing(image)).toEqual(['f 600 0:0 0 f', `local 755 0:0 ${clampSeconds} of the context`]);
  });

  it('is unpacked only when that is asked for', async () => {
    const packed = Buffer.concat(
      await Array.fromAsync(await (await toLayer([directory('d'), file('d/f', 'x')])).open()),
    );
    const remotes = { 'http://h/a.tgz': fetched(packed) };
    const names = async (lines: string) =>
      (await listing(await build(lines, remotes))).map((line) => line.split(' ')[0]);
    expect(await names('ADD http://h/a.tgz /n/')).toEqual(['n/a.tgz']);
    expect(await names('ADD --unpack http://h/a.tgz /n/')).toEqual(['n/d/f']);
  });

  it('makes the same layer of the same content, wherever it is from', async () => {
    const cache = createMemoryLayerCache();
    const one = await build('ADD http://h/f /d/', { 'http://h/f': fetched('x', 5) }, cache);
    const other = await build('ADD http://mirror/b/f /d/', { 'http://mirror/b/f': fetched('x', 5) }, cache);
    const changed = await build('ADD http://h/f /d/', { 'http://h/f': fetched('y', 5) }, cache);
    const [a, b, c] = [one, other, changed].map(({ layers }) => layers.map(({ diffId }) => diffId));
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
  });

  it('leaves no secret of its URL in the history', async () => {
    const secret = 'http://h/f?token=hunter2';
    const { config } = await build(`ADD ${secret} /f`, { [secret]: fetched('x') });
    expect(config.history?.map((entry) => entry.created_by)).toEqual(['ADD http://h/f?token=*** /f']);
  });

  it.each([
    [
      'without a name',
      'WORKDIR /d\nADD http://h/ /d',
      { 'http://h/': 'x' },
      'image/bad-dockerfile',
      /expected a file name/,
      3,
    ],
    [
      'that was not given',
      'ADD http://h/?key=abc /d',
      {},
      'image/not-found',
      /from http:\/\/h\/\?key=\*\*\* was not given/,
      2,
    ],
  ])('fails for a file %s', async (_what, lines, contents: Record<string, string>, code, message, line) => {
    const remotes = Object.fromEntries(Object.entries(contents).map(([at, text]) => [at, fetched(text)]));
    await expect(build(lines, remotes)).rejects.toEqual(
      expect.objectContaining({ code, message: expect.stringMatching(message), where: { file: 'Dockerfile', line } }),
    );
  });

  it('copies the tree of a commit, with .git where it is kept', async () => {
    write('tree/sub/f', 'x');
    write('tree/.git/HEAD', 'ref');
    const tree: RemoteContent = { kind: 'git', dir: join(folder, 'tree'), commit: 'c0ffee' };
    const names = async (lines: string) =>
      (await listing(await build(lines, { 'git@h:r.git': tree }))).map((line) => line.split(' ')[0]);
    expect(await names('ADD git@h:r.git /r')).toEqual(['r/sub/f']);
    expect(await names('ADD --keep-git-dir git@h:r.git /r')).toEqual(['r/.git/HEAD', 'r/sub/f']);
  });
});

describe('archives of the context', () => {
  it.each(Object.entries(packedTar))(
    'are unpacked when %s packed them, and copied where they are damaged',
    async (_program, packed) => {
      write('a.packed', packed);
      write('b.packed', packed.subarray(0, packed.length / 2));
      const image = await build('ADD a.packed b.packed /n/', {});
      expect((await listing(image)).map((line) => line.split(' ')[0])).toEqual(['n/b.packed', 'n/f']);
    },
  );

  it('fail where only their end is damaged', async () => {
    const packed = Buffer.from(packedTar.bzip2);
    packed.fill(0, packed.length - 4);
    write('a.tbz', packed);
    await expect(build('ADD a.tbz /n/', {})).rejects.toMatchObject({
      code: 'image/bad-archive',
      message: 'cannot unpack a.tbz: the bzip2 stream does not have its CRC',
      where: { file: 'Dockerfile', line: 2 },
    });
  });
});
