import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { toMessage } from '../../src/core/errors.ts';
import { callCli } from '../../src/executor/engine/cli.ts';
import { fileAccess } from '../../src/image/archive/folder.ts';
import { openArchive } from '../../src/image/archive/open.ts';
import { buildImage } from '../../src/image/build/build.ts';
import type { RemoteContent } from '../../src/image/build/copy/remote-tree.ts';
import { planBuild } from '../../src/image/build/plan/plan.ts';
import { listRemotes } from '../../src/image/build/run/remotes.ts';
import { mergedTree } from '../../src/image/layers/merged-tree.ts';
import type { Image } from '../../src/image/model.ts';
import { createFakeBuildSandbox } from '../fakes/build-sandbox.ts';
import { startServer } from '../fakes/http-server.ts';
import { createMemoryLayerCache } from '../fakes/layer-cache.ts';
import { environment, mustWork } from './engines.ts';
import { directory, file, symlink, toLayer } from './layers.ts';

const scratch = mkdtempSync(join(tmpdir(), 'add-as-docker-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const docker = {
  program: 'docker',
  globalArgs: [],
  environment: { ...environment, DOCKER_BUILDKIT: '1' },
  hint: 'scripts/engines.sh',
};

async function call(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await callCli(docker, args, {});
  if (exitCode !== 0) throw new Error(stderr);
}

const reason = await call('version').then(() => undefined, toMessage);

const lastModified = 'Tue, 02 Jan 2001 03:04:05 GMT';
const modifiedSeconds = Date.parse(lastModified) / 1000;

/** Paths of the server, and what it says of the file's age. */
const pages: Readonly<Record<string, { readonly dated: boolean; readonly content: string | Buffer }>> = {
  '/dated.sh': { dated: true, content: 'dated' },
  '/undated': { dated: false, content: 'undated' },
  '/sp%20ace%5B1%5D': { dated: true, content: 'space' },
  '/q.txt?a=b/c': { dated: true, content: 'query' },
  '/folder/': { dated: true, content: 'folder' },
  '/a.tar.gz': { dated: true, content: await packedTar() },
};

async function packedTar(): Promise<Buffer> {
  const members = [directory('in', { mode: 0o700 }), file('in/f', 'x', { uid: 5, mode: 0o4755 }), symlink('l', 'in/f')];
  return Buffer.concat(await Array.fromAsync(await (await toLayer(members)).open()));
}

/** Without `--chmod`, which docker 20.10 forgets where it fetches. */
const lines = [
  'FROM scratch',
  'ARG NAME=dated',
  'ADD URL/$NAME.sh /d/',
  'ADD URL/dated.sh /name',
  'ADD URL/undated URL/sp%20ace%5B1%5D URL/q.txt?a=b/c URL/folder/ /several/',
  'ADD --chown=7:8 URL/dated.sh /owned/by/',
  'ADD URL/to-dated /redirected/',
  'ADD URL/a.tar.gz /packed/',
  'ADD local.tar.xz local.tar.bz2 local.tar.gz no-archive.xz /unpacked/',
  'WORKDIR /w',
  'ADD URL/dated.sh .',
  'ADD URL/undated x/y',
];

/** Files and links with their modes, owners, times and contents; folders without times: docker has them as of now. */
async function listing(image: Image): Promise<string[]> {
  const tree = await mergedTree(image.layers);
  const found: string[] = [];
  for (const [path, entry] of [...tree.entries].sort()) {
    const content =
      entry.type === 'file' ? Buffer.concat(await Array.fromAsync(tree.readFile(entry))).toString('hex') : '';
    const mtime = entry.type === 'directory' || path.includes('no-archive') ? '' : Math.floor(entry.mtime);
    found.push(
      [path, entry.type, entry.mode.toString(8), entry.uid, entry.gid, mtime, entry.linkTarget, content].join(' '),
    );
  }
  return found;
}

async function byDocker(context: string): Promise<Image> {
  const [name, archive] = [`localhost/add-as-docker-${process.pid}`, join(scratch, 'built.tar')];
  await call('build', '--network', 'host', '--tag', name, context);
  await call('save', '--output', archive, name);
  await call('rmi', name);
  return openArchive(await fileAccess(archive));
}

async function byUs(context: string, text: string, url: string): Promise<Image> {
  const plan = planBuild(text, { platform: { os: 'linux', architecture: 'amd64' } });
  const remotes = new Map<string, RemoteContent>();
  for (const [index, remote] of listRemotes(plan, new Map()).entries()) {
    const page = pages[remote.url.replace(url, '').replace('/to-dated', '/dated.sh')];
    if (!page) throw new Error(`no page ${remote.url}`);
    const path = join(scratch, `remote-${index}`);
    writeFileSync(path, page.content);
    remotes.set(remote.url, { kind: 'file', path, ...(page.dated && { modifiedSeconds }) });
  }
  const sandbox = createFakeBuildSandbox();
  const inputs = { plan, remotes, contextDir: context, bases: new Map(), sandbox, cache: createMemoryLayerCache() };
  return buildImage({ ...inputs, dockerignore: 'Dockerfile', clampSeconds: 4e9 });
}

describe.skipIf(reason !== undefined && !mustWork('docker'))(
  `ADD, compared with docker's own${reason === undefined ? '' : ` (skipped: ${reason}; scripts/engines.sh sets it up)`}`,
  () => {
    it('makes the same files, modes, owners and times', { timeout: 120_000 }, async () => {
      const server = await startServer((request, response) => {
        if (request.url === '/to-dated') return void response.writeHead(302, { location: '/dated.sh' }).end();
        const page = pages[request.url ?? ''];
        if (!page) return void response.writeHead(404).end();
        response.writeHead(200, page.dated ? { 'last-modified': lastModified } : {}).end(page.content);
      });
      const context = join(scratch, 'context');
      mkdirSync(context);
      const tar = gunzipSync(await packedTar());
      const pack = (program: string, input: Buffer | string) => execFileSync(program, ['-c'], { input });
      writeFileSync(join(context, 'local.tar.gz'), pack('gzip', tar));
      writeFileSync(join(context, 'local.tar.xz'), pack('xz', tar));
      writeFileSync(join(context, 'local.tar.bz2'), pack('bzip2', tar));
      writeFileSync(join(context, 'no-archive.xz'), pack('xz', 'no archive'));
      const text = lines.join('\n').replaceAll('URL', server.url);
      writeFileSync(join(context, 'Dockerfile'), text);
      const expected = await listing(await byDocker(context));
      expect(expected.length).toBeGreaterThan(15);
      expect(await listing(await byUs(context, text, server.url))).toEqual(expected);
    });
  },
);
