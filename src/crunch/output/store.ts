import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync } from 'node:fs';
import { createLimiter } from '../../core/concurrency.ts';
import { createCollectionWriter, toSegments } from '../../keep/collection-writer.ts';
import { sliceSegments } from '../../keep/file-reader.ts';
import type { LocalBlockStore, StoredFile } from '../../keep/port.ts';
import { crunchError } from '../errors.ts';
import type { OutputDirectory, OutputFile } from './node.ts';
import { entryPath, withDirectory } from './scan.ts';

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
  const store = (descriptor: number, name: string, file: OutputFile): Promise<void> => {
    options.signal.throwIfAborted();
    const onDisk = usableName(descriptor, name, file);
    return pack && file.sizeBytes <= smallBytes ? pack.add(onDisk, file) : storeWhole(onDisk, file);
  };
  const visit = async (descriptor: number, directory: OutputDirectory): Promise<void> => {
    const here: Promise<void>[] = [];
    for (const [name, node] of directory.entries) {
      if (node.kind === 'file' && wanted.has(node)) here.push(limited(async () => store(descriptor, name, node)));
    }
    await allSettled(here);
    for (const [name, node] of directory.entries) {
      if (node.kind === 'directory' && holdsAny(node, wanted)) await descend(descriptor, name, node, visit);
    }
  };
  await withSameDirectory(path, root, (descriptor) => visit(descriptor, root));
  await pack?.finish();
}

/** Gives a file up to the store; one with other names is left where it is, and stored once. */
function createWholeStore({ blocks }: StoreOptions): (path: string, file: OutputFile) => Promise<void> {
  const byInode = new Map<string, Promise<StoredFile>>();
  return async (path, file) => {
    if (!file.hasOtherNames) {
      file.segments = toSegments(await blocks.adoptFile(path));
      return;
    }
    const known = byInode.get(file.id) ?? blocks.storeFile(path);
    byInode.set(file.id, known);
    file.segments = toSegments(await known);
  };
}

/** Small files one after the other in shared blocks. */
function createPack(blocks: LocalBlockStore) {
  const writer = createCollectionWriter(blocks).createFile('pack');
  const added: { readonly file: OutputFile; readonly start: number; readonly end: number }[] = [];
  let writing: Promise<void> = Promise.resolve();
  return {
    add(path: string, file: OutputFile): Promise<void> {
      writing = writing.then(async () => {
        const start = writer.position();
        const bytes = readOpened(path);
        if (bytes.length > 0) await writer.write(bytes);
        added.push({ file, start, end: start + bytes.length });
      });
      return writing;
    },
    async finish(): Promise<void> {
      const { segments } = await writer.close();
      for (const { file, start, end } of added) file.segments = sliceSegments(segments, { start, end });
    },
  };
}

/** Opened without following a link, and without waiting for the writer of a FIFO that took the file's place. */
function readOpened(path: string): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (fstatSync(descriptor).isFile()) return readFileSync(descriptor);
    throw crunchError('crunch/bad-output', `an output file was replaced while it was collected: ${path}`, {
      hint: 'let the command wait for all its processes before it ends',
    });
  } finally {
    closeSync(descriptor);
  }
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
