import { fstatSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { createLimiter } from '../../core/concurrency.ts';
import type { LocalBlockStore, StoredFile } from '../../keep/port.ts';
import { crunchError } from '../errors.ts';
import type { OutputDirectory, OutputFile } from './node.ts';
import { entryPath, withDirectory } from './scan.ts';

const filesAtOnce = 4;

/**
 * Brings the wanted files of a scanned directory into Keep, each once, by giving them up to the store. Directories are opened
 * again from the top, and only if they are still the ones that were scanned.
 */
export async function storeFiles(
  path: string,
  root: OutputDirectory,
  wanted: ReadonlySet<OutputFile>,
  options: { readonly blocks: LocalBlockStore; readonly signal: AbortSignal },
): Promise<void> {
  if (wanted.size === 0) return;
  const limited = createLimiter(filesAtOnce);
  const byInode = new Map<string, Promise<StoredFile>>();
  const store = async (directory: number, name: string, file: OutputFile): Promise<void> => {
    options.signal.throwIfAborted();
    const onDisk = await usableName(directory, name, file);
    if (!file.hasOtherNames) {
      file.stored = await options.blocks.adoptFile(onDisk);
      return;
    }
    const known = byInode.get(file.id) ?? options.blocks.storeFile(onDisk);
    byInode.set(file.id, known);
    file.stored = await known;
  };
  const visit = async (descriptor: number, directory: OutputDirectory): Promise<void> => {
    const here: Promise<void>[] = [];
    for (const [name, node] of directory.entries) {
      if (node.kind === 'file' && wanted.has(node)) here.push(limited(() => store(descriptor, name, node)));
    }
    await allSettled(here);
    for (const [name, node] of directory.entries) {
      if (node.kind === 'directory' && holdsAny(node, wanted)) await descend(descriptor, name, node, visit);
    }
  };
  await withSameDirectory(path, root, (descriptor) => visit(descriptor, root));
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
    if (`${stat.dev}:${stat.ino}` === node.id) return use(descriptor);
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
async function usableName(directory: number, name: string, file: OutputFile): Promise<string> {
  const base = `/proc/self/fd/${directory}/`;
  if (!file.rawName) return base + name;
  renamed += 1;
  const plain = `${base}.hallmark-renamed-${process.pid}-${renamed}`;
  await rename(entryPath(directory, file.rawName), plain);
  return plain;
}

/** Waits for all before it fails with the first failure: nobody may use a handle that is closed. */
async function allSettled(tasks: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  const failed = results.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}
