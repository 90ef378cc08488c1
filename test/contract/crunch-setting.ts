import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Container } from '../../src/api/records.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type PortableDataHash, toDigest } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createCollectionReader } from '../../src/crunch/collections.ts';
import type { CrunchDeps } from '../../src/crunch/port.ts';
import { runContainer } from '../../src/crunch/run-container.ts';
import { createTreeCache } from '../../src/crunch/trees.ts';
import type { Executor, LoadableImage } from '../../src/executor/port.ts';
import type { Collection } from '../../src/keep/collection.ts';
import { createCollectionWriter } from '../../src/keep/collection-writer.ts';
import { type DiskBlockStore, openDiskBlockStore } from '../../src/keep/disk/disk-store.ts';
import { readText } from '../../src/keep/file-reader.ts';
import { removeTree } from '../../src/keep/remove-tree.ts';
import { createFakeExecutor } from '../fakes/executor.ts';
import { type ContainerRecords, createContainerRecords } from '../fakes/executor-records.ts';

/** A crunch-run with real Keep and records in memory, in a directory of its own. */
export interface Setting {
  readonly directory: string;
  readonly api: ContainerRecords;
  readonly blocks: DiskBlockStore;
  readonly deps: CrunchDeps;
  /** Lines that went to the runner's own log. */
  readonly complaints: string[];
  /** Stores these files as a collection with a record. */
  store(files: Readonly<Record<string, string>>): Promise<Collection>;
  run(work: Partial<Container>, options?: RunOptions): Promise<Container>;
  readOutput(container: Container): Promise<Record<string, string>>;
  readLog(container: Container): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export interface RunOptions {
  readonly deps?: Partial<CrunchDeps>;
  readonly executor?: Executor;
  readonly signal?: AbortSignal;
}

export const imageHash = toDigest(`sha256:${'ab'.repeat(32)}`);
export const imageCollection = `${'ab'.repeat(16)}+100` as PortableDataHash;

export async function createSetting(): Promise<Setting> {
  const directory = await mkdtemp(join(tmpdir(), 'hallmark-crunch-'));
  const clock = systemClock();
  const api = createContainerRecords();
  const blocks = await openDiskBlockStore(join(directory, 'keep'), { clock });
  const complaints: string[] = [];
  const note = (line: string): void => void complaints.push(line);
  const collections = createCollectionReader(api);
  const deps: CrunchDeps = {
    api,
    blocks,
    collections,
    trees: createTreeCache(blocks),
    images: { open: async () => fakeImage },
    executors: () => createFakeExecutor(),
    defaultExecutor: 'sandbox',
    builtins: { pull: async () => ({ exitCode: 0 }), build: async () => ({ exitCode: 0 }) },
    secretMounts: async () => ({}),
    workDir: join(directory, 'work'),
    hostPath: process.env.PATH ?? '/usr/bin:/bin',
    clock,
    logger: { ...silentLogger, warn: note, error: note },
  };
  const readAll = async (hash: PortableDataHash | null): Promise<Record<string, string>> => {
    if (hash === null) return {};
    const { files } = await collections.byPortableDataHash(hash);
    const texts = [...files].map(async ([path, file]) => [path, await readText(blocks, file)] as const);
    return Object.fromEntries(await Promise.all(texts));
  };
  return {
    directory,
    api,
    blocks,
    deps,
    complaints,
    async store(files) {
      const writer = createCollectionWriter(blocks);
      for (const [path, text] of Object.entries(files)) await writer.addBytes(path, text);
      const collection = writer.finish();
      await api.create('collections', { manifest_text: collection.manifestText });
      return collection;
    },
    async run(work, options = {}) {
      const { uuid } = await api.addContainer(work);
      const executor = options.executor;
      const given = { ...deps, ...(executor && { executors: () => executor }), ...options.deps };
      await runContainer(uuid, given, options.signal ?? new AbortController().signal);
      return api.get('containers', uuid);
    },
    readOutput: (container) => readAll(container.output),
    readLog: (container) => readAll(container.log),
    async close() {
      api.close();
      await removeTree(directory);
    },
  };
}

const config = {
  os: 'linux',
  architecture: 'amd64',
  config: { Env: ['FROM_IMAGE=yes'], WorkingDir: '/tmp' },
  rootfs: { type: 'layers', diff_ids: [] },
} as const;

const fakeImage: LoadableImage = {
  image: { imageHash, configBytes: Buffer.from(JSON.stringify(config)), config, layers: [] },
  openArchive: async () => Readable.from([]),
};

/** A container with an image, whose output is `/out`. */
export const withImage = (command: readonly string[], more: Partial<Container> = {}): Partial<Container> => ({
  command,
  container_image: imageCollection,
  cwd: '/out',
  output_path: '/out',
  mounts: { '/out': { kind: 'tmp', capacity: 1_000_000 } },
  ...more,
});

/** A shell script on the host, in its output directory. */
export const onHost = (script: string, more: Partial<Container> = {}): Partial<Container> => ({
  command: ['sh', '-c', script],
  container_image: 'hallmark/host',
  cwd: '/hallmark.host/out',
  output_path: '/hallmark.host/out',
  ...more,
});
