import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { type LayerMember, writeMembers } from '../../src/image/build/cache/members.ts';
import type { Layer } from '../../src/image/model.ts';
import { digestOf } from '../../src/image/streams.ts';
import { noXattrs, type TarEntry } from '../../src/image/tar/entry.ts';
import { readTar } from '../../src/image/tar/read.ts';
import { streamSource } from '../../src/image/tar/source.ts';
import { createMemoryLayerCache } from '../fakes/layer-cache.ts';

const common = { uid: 0, gid: 0, mtime: 1_000_000, size: 0, linkPath: '', xattrs: noXattrs };

export const directory = (path: string, more: Partial<TarEntry> = {}): LayerMember => ({
  entry: { ...common, path, type: 'directory', mode: 0o755, ...more },
});

export const file = (path: string, content: string | Buffer = '', more: Partial<TarEntry> = {}): LayerMember => {
  const body = Buffer.from(content);
  return { entry: { ...common, path, type: 'file', mode: 0o644, ...more, size: body.length }, body: [body] };
};

export const symlink = (path: string, linkPath: string): LayerMember => ({
  entry: { ...common, path, type: 'symlink', mode: 0o777, linkPath },
});

/** A layer of these members, gzipped, in memory. */
export async function toLayer(members: readonly LayerMember[]): Promise<Layer> {
  return createMemoryLayerCache().put(digestOf(Buffer.alloc(0)), writeMembers(members));
}

export interface ReadMember extends TarEntry {
  readonly text: string;
}

/** All members of an uncompressed tar, contents as text. */
export async function readMembers(tar: AsyncIterable<Uint8Array>): Promise<ReadMember[]> {
  const members: ReadMember[] = [];
  for await (const member of readTar(streamSource(tar))) {
    const { path, type, mode, uid, gid, mtime, size, linkPath, xattrs } = member;
    const text = Buffer.concat(await Array.fromAsync(member.content())).toString();
    members.push({ path: path.replace(/\/$/, ''), type, mode, uid, gid, mtime, size, linkPath, xattrs, text });
  }
  return members;
}

const toolNames = ['sh', 'cat', 'chmod', 'env', 'id', 'ln', 'ls', 'mkdir', 'rm', 'sleep', 'touch', 'chown'];

/** A root with a shell and a few tools of this machine, their libraries and a user `worker` (1234:4321, home /home/worker). */
export async function toolsLayer(): Promise<Layer> {
  const tools = toolNames.map((tool) =>
    execFileSync('sh', ['-c', `command -v ${tool}`])
      .toString()
      .trim(),
  );
  const libraries =
    execFileSync('ldd', tools)
      .toString()
      .match(/\/\S+(?= \(0x)/g) ?? [];
  const sources = new Map(tools.map((path, at) => [`bin/${toolNames[at]}`, path]));
  for (const path of libraries) sources.set(path.slice(1), path);
  const folders = new Set<string>();
  for (const path of sources.keys()) for (let up = dirname(path); up !== '.'; up = dirname(up)) folders.add(up);
  return toLayer([
    ...[...folders].sort().map((path) => directory(path)),
    ...[...sources].sort().map(([path, source]) => file(path, readFileSync(realpathSync(source)), { mode: 0o755 })),
    ...['dev', 'etc', 'home', 'proc', 'root', 'sys', 'var'].map((path) => directory(path)),
    directory('home/worker', { uid: 1234, gid: 4321 }),
    directory('tmp', { mode: 0o1777 }),
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nworker:x:1234:4321::/home/worker:/bin/sh\n'),
    file('etc/group', 'root:x:0:\nstaff:x:50:\nworkers:x:4321:\n'),
  ]);
}
