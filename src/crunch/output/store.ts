import { fstatSync, renameSync } from 'node:fs';
import { createLimiter } from '../../core/concurrency.ts';
import { toSegments } from '../../keep/collection-writer.ts';
import type { LocalBlockStore, StoredFile } from '../../keep/port.ts';
import { crunchError } from '../errors.ts';
import type { OutputDirectory, OutputFile } from './node.ts';
import { createPack } from './pack.ts';
import { entryPath, idOf, withDirectory } from './scan.ts';

const filesAtOnce = 4;
/** From more files than this the small ones are packed: a block each would cost more than copying them out again. */
const fewFiles = 256;
const smallBytes = 64 * 1024;

interface StoreOptions {
  readonly blocks: LocalBlockStore;
  readonly signal: AbortSignal;
}

/**
 * Brings the wanted files of a scanned directory into Keep, each once, by giving them up to the store; of many, the small ones
 * share blocks. Directories are opened again from the top, and only if they are still the ones that were scanned.
 */
export async function storeFiles(
  path: string,
  root: OutputDirectory,
  wanted: ReadonlySet<OutputFile>,
  options: StoreOptions,
): Promise<void> {
  if (wanted.size === 0) return;
  const limited = createLimiter(filesAtOnce);
  const pack = wanted.size > fewFiles ? createPack(options.blocks) : undefined;
  const storeWhole = createWholeStore(options);
  const visit = async (descriptor: number, directory: OutputDirectory): Promise<void> => {
    const whole: (() => Promise<void>)[] = [];
    for (const [name, node] of directory.entries) {
      if (node.kind !== 'file' || !wanted.has(node)) continue;
      const store = async (take: Take) => {
        options.signal.throwIfAborted();
        await take(usableName(descriptor, name, node), node);
      };
      if (pack && node.sizeBytes <= smallBytes) await store(pack.add);
      else whole.push(() => store(storeWhole));
    }
    await allSettled(whole.map(limited));
    for (const [name, node] of directory.entries) {
      if (node.kind === 'directory' && holdsAny(node, wanted)) await descend(descriptor, name, node, visit);
    }
  };
  await withSameDirectory(path, root, (descriptor) => visit(descriptor, root));
  await pack?.finish();
}

type Take = (path: string, file: OutputFile) => Promise<void>;

/** Gives a file up to the store; one with other names is left where it is, and stored once. */
function createWholeStore({ blocks, signal }: StoreOptions): Take {
  const byInode = new Map<string, Promise<StoredFile>>();
  return async (path, file) => {
    if (file.sharedId === undefined) {
      file.segments = toSegments(await blocks.adoptFile(path, signal));
      return;
    }
    const known = byInode.get(file.sharedId) ?? blocks.storeFile(path, signal);
    byInode.set(file.sharedId, known);
    file.segments = toSegments(await known);
  };
}

type Visit = (descriptor: number, directory: OutputDirectory) => Promise<void>;

async function descend(parent: number, name: string, node: OutputDirectory, visit: Visit): Promise<void> {
  const path = entryPath(parent, node.rawName ?? Buffer.from(name));
  await withSameDirectory(path, node, (descriptor) => visit(descriptor, node));
}

type Use = (descriptor: number) => Promise<void>;

function withSameDirectory(path: string | Buffer, node: OutputDirectory, use: Use): Promise<void> {
  return withDirectory(path, async (descriptor) => {
    const stat = fstatSync(descriptor, { bigint: true });
    if (idOf(stat) === node.id) return use(descriptor);
    throw crunchError('crunch/bad-output', `an output directory was replaced while it was collected: ${String(path)}`, {
      hint: 'let the command wait for all its processes before it ends',
    });
  });
}

function holdsAny(directory: OutputDirectory, wanted: ReadonlySet<OutputFile>): boolean {
  for (const node of directory.entries.values()) {
    if (node.kind === 'file' ? wanted.has(node) : node.kind === 'directory' && holdsAny(node, wanted)) return true;
  }
  return false;
}

let renamed = 0;

/** The store takes paths as text: a name that is not UTF-8 gets another one first. */
function usableName(directory: number, name: string, file: OutputFile): string {
  const base = `/proc/self/fd/${directory}/`;
  if (!file.rawName) return base + name;
  renamed += 1;
  const plain = `${base}.hallmark-renamed-${process.pid}-${renamed}`;
  renameSync(entryPath(directory, file.rawName), plain);
  return plain;
}

/** Waits for all before it fails with the first failure: nobody may use a handle that is closed. */
async function allSettled(tasks: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  const failed = results.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}
