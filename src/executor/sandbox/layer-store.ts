import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Claim } from '../../core/claim.ts';
import { createSingleFlight, mapLimited } from '../../core/concurrency.ts';
import { HallmarkError, isAbort, toMessage } from '../../core/errors.ts';
import type { Digest } from '../../core/ids.ts';
import { decompressLayer } from '../../image/layers/decompress.ts';
import { sanitizeLayer } from '../../image/layers/sanitize.ts';
import type { Layer } from '../../image/model.ts';
import { executorError } from '../errors.ts';
import { exists } from '../process/exists.ts';
import { ownedName } from '../process/owned.ts';
import { removeTree } from './remove.ts';
import { runTool } from './run-tool.ts';
import type { UserNamespace } from './user-namespace.ts';

const parallelExtractions = 4;

/**
 * Extracted layers, one folder per diffId, shared by every process of this user. A folder appears whole or not at all:
 * it is filled under another name and renamed. Whiteouts are 0/0 devices and opaque folders carry
 * `user.overlay.opaque`, as overlayfs(5) reads them with `userxattr`.
 */
export interface LayerStore {
  /** The folders of `layers`, in their order. */
  extract(layers: readonly Layer[], signal?: AbortSignal): Promise<readonly string[]>;
}

export interface LayerStoreOptions {
  readonly folder: string;
  readonly namespace: () => Promise<UserNamespace>;
  /** False where there is only one id: then every file is the caller's. */
  readonly keepOwners: boolean;
  readonly claim: Claim;
}

export function createLayerStore(options: LayerStoreOptions): LayerStore {
  const once = createSingleFlight<string>();
  const extractOne = async (layer: Layer, signal?: AbortSignal): Promise<string> => {
    const target = join(options.folder, hexOf(layer.diffId));
    if (await options.claim(target)) return target;
    try {
      return await once(target, () => extractLayer(options, layer, target, signal));
    } catch (error) {
      // The caller whose flight we shared has gone; we have not.
      if (!isAbort(error) || signal?.aborted) throw error;
      return extractOne(layer, signal);
    }
  };
  return {
    extract: (layers, signal) => mapLimited(layers, parallelExtractions, (layer) => extractOne(layer, signal)),
  };
}

const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);

async function extractLayer(
  { folder, namespace, keepOwners }: LayerStoreOptions,
  layer: Layer,
  target: string,
  signal?: AbortSignal,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const { enter } = await namespace();
  const partial = join(folder, ownedName());
  await mkdir(partial);
  try {
    const root = join(partial, 'root');
    await mkdir(root, { mode: 0o755 });
    const options = signal === undefined ? {} : { signal };
    const owners = keepOwners ? '--same-owner' : '--no-same-owner';
    const tar = sanitizeLayer(await decompressLayer(layer, options), options);
    await untar(tar, [...enter, 'tar', owners, ...extractOptions, '-C', root]);
    await rename(root, target).catch((error) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    return target;
  } catch (cause) {
    if (isAbort(cause) || cause instanceof HallmarkError) throw cause;
    throw toLoadError(layer, cause);
  } finally {
    await removeTree(partial, enter);
  }
}

const extractOptions = [
  '-x',
  '-p',
  '-f',
  '-',
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=*',
  '--delay-directory-restore',
];

/** Unpacks with the machine's GNU tar as root of the namespace. Rejects with what tar said. */
async function untar(tar: Readable, command: readonly string[]): Promise<void> {
  const { exitCode, said } = await runTool(command, tar);
  if (exitCode !== 0) throw new Error(said.split('\n').slice(0, 3).join('; ') || `tar ended with ${exitCode}`);
}

function toLoadError(layer: Layer, cause: unknown): Error {
  const text = toMessage(cause);
  if (/No space left|ENOSPC/.test(text)) {
    return executorError('executor/no-space', `no space left while extracting layer ${layer.diffId}`, {
      hint: 'free space in the folder of extracted layers, or set HALLMARK_HOME to a larger disk',
      cause,
    });
  }
  const needsIds = /Cannot (change ownership|mknod)|Invalid argument/.test(text);
  return executorError('executor/load-failed', `layer ${layer.diffId} cannot be extracted: ${text}`, {
    hint: needsIds
      ? 'this user has a single id: install uidmap and give it ranges in /etc/subuid and /etc/subgid'
      : 'look at the cause; the layer is extracted anew by the next run',
    cause,
  });
}

/** Makes `folder` list `targets` as the links 0, 1, 2…; whole or absent, and shared by concurrent processes. */
export async function linkLayers(folder: string, targets: readonly string[]): Promise<void> {
  if (await exists(folder)) return;
  await mkdir(join(folder, '..'), { recursive: true });
  const partial = join(folder, '..', ownedName());
  await mkdir(partial);
  await Promise.all(targets.map((target, index) => symlink(target, join(partial, String(index)))));
  await rename(partial, folder).catch(async (error) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(partial, { recursive: true });
  });
}
