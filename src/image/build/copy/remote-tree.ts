import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { imageError } from '../../errors.ts';
import { redact } from '../../redact.ts';
import { createContextTree } from './context-tree.ts';
import { parseIgnoreFile } from './ignore.ts';
import type { SourceTree } from './source-tree.ts';

/** What an ADD fetched, on this machine; nobody changes it during the build. */
export type RemoteContent =
  | {
      readonly kind: 'file';
      readonly path: string;
      /** As the server dates it; seconds since the epoch. */
      readonly modifiedSeconds?: number;
    }
  /** The files of a commit. With `.git` in it where one of its ADDs keeps that. */
  | { readonly kind: 'git'; readonly dir: string; readonly commit: string };

/** Where `createRemoteFile` has its only file. */
export const remoteFilePath = 'file';

/** One file that is root's alone and as old as the server says, else as the epoch: as BuildKit has what it fetches. */
export function createRemoteFile(
  name: string,
  { path, modifiedSeconds = 0 }: Extract<RemoteContent, { kind: 'file' }>,
): SourceTree {
  const folder = createContextTree(dirname(path), parseIgnoreFile(''));
  return {
    name,
    async find(wanted) {
      const entry = wanted === remoteFilePath ? await folder.find(basename(path)) : undefined;
      return entry && { ...entry, mode: 0o600, mtime: modifiedSeconds };
    },
    children: async () => [],
    openContents: folder.openContents,
  };
}

/** A commit as a tree of its own, whose `.git` is seen only where it is kept. */
export function createRemoteTree(name: string, dir: string, keepGitDir: boolean): SourceTree {
  return { ...createContextTree(dir, parseIgnoreFile(keepGitDir ? '' : '.git')), name };
}

interface Verified {
  readonly url: string;
  readonly line: number;
  readonly checksum?: string;
}

/** Fails with `image/digest-mismatch` where the content is not what `--checksum` says. */
export async function verifyRemote(remote: Verified, content: RemoteContent, file: string): Promise<void> {
  if (remote.checksum === undefined) return;
  checkDigest(remote, content.kind === 'git' ? content.commit : await sha256Of(content.path), file);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}`;
}

/** `got`: `sha256:` and the digest of the file, or the commit of the repository. */
export function checkDigest({ url, line, checksum }: Verified, got: string, file: string): void {
  if (checksum === undefined || got.startsWith(checksum)) return;
  throw imageError('image/digest-mismatch', `ADD of ${redact(url)}: expected ${checksum}, got ${got}`, {
    where: { file, line },
    hint: 'look at what lies there: it changed since the checksum was written, or is not what was meant',
  });
}
