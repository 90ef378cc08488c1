import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CollectionRecord, Container, ContainerRequest, RuntimeStatus } from '../../src/api/records.ts';
import { builtinImage } from '../../src/api/records.ts';
import { type Cluster, openCluster } from '../../src/cluster/cluster.ts';
import { createDispatcher } from '../../src/cluster/dispatch/dispatcher.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { saveImage } from '../../src/crunch/images/save-image.ts';
import { createCollectionWriter } from '../../src/keep/collection-writer.ts';
import { type DiskBlockStore, openDiskBlockStore } from '../../src/keep/disk/disk-store.ts';
import { createRequestWaiter } from '../../src/run/await-request.ts';
import type { RunEvent } from '../../src/run/events.ts';
import type { GitReader, ImageServices } from '../../src/run/image/port.ts';
import { createInputStore } from '../../src/run/inputs.ts';
import type { RunOptions } from '../../src/run/run-process.ts';

export type Files = Readonly<Record<string, string>>;

/** For runs that need no repository. */
export const noGit: GitReader = {
  resolveRef: () => Promise.reject(new Error('no git here')),
  readFile: () => Promise.reject(new Error('no git here')),
};

/** A cluster in memory with blocks in a folder of its own, and what a run does with them. */
export interface RunKit {
  readonly folder: string;
  readonly api: Cluster;
  readonly blocks: DiskBlockStore;
  readonly events: RunEvent[];
  /** A collection record of these files; a name that ends in `/` is an empty directory. */
  collection(files: Files, attributes?: Partial<CollectionRecord>): Promise<CollectionRecord>;
  /** An image collection (design 4.1) whose image hash is `digit` 64 times. */
  image(name: string, digit: string, properties?: JsonObject): Promise<CollectionRecord>;
  imageServices(more?: Partial<ImageServices>): ImageServices;
  /** Runs containers until the kit is closed. */
  startEngine(work: FakeWork): void;
  requests(): Promise<readonly ContainerRequest[]>;
  warnings(): readonly string[];
  close(): Promise<void>;
}

/** How a container ends: `error` alone is a failure of the infrastructure. */
export interface FakeEnding {
  readonly exitCode?: number;
  readonly output?: Files;
  readonly stderr?: string;
  readonly status?: RuntimeStatus;
  readonly error?: string;
  /** Output properties; those of an image for pulls and builds. */
  readonly properties?: JsonObject;
}
export type FakeWork = (container: Container, signal: AbortSignal) => FakeEnding | Promise<FakeEnding>;

export const imageHash = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** What a pull or build of an image ends with. */
export const imageEnding = (name: string, digit: string, more: JsonObject = {}): FakeEnding => ({
  output: { [`${imageHash(digit)}.tar`]: `archive ${digit}` },
  properties: imageProperties(name, digit, more),
});

const imageProperties = (name: string, digit: string, more: JsonObject): JsonObject => ({
  'docker-image-repo-tag': name,
  'docker-image-hash': imageHash(digit),
  'docker-image-timestamp': '2026-01-01T00:00:00Z',
  ...more,
});

/** What the command says unless told otherwise. */
export const runOptions: RunOptions = {
  onError: 'stop',
  reuse: true,
  pull: 'missing',
  containers: true,
  hostEnvironment: {},
  maxInFlight: 8,
};

export async function createRunKit(): Promise<RunKit> {
  const folder = await mkdtemp(join(tmpdir(), 'hallmark-run-'));
  const clock = systemClock();
  const api = openCluster({ path: ':memory:', clock });
  const blocks = await openDiskBlockStore(join(folder, 'keep'), { clock });
  const events: RunEvent[] = [];
  const closing: (() => Promise<void> | void)[] = [];

  const collection = async (files: Files, attributes: Partial<CollectionRecord> = {}) => {
    const writer = createCollectionWriter(blocks);
    for (const [path, text] of Object.entries(files)) {
      if (path.endsWith('/')) writer.addDirectory(path.slice(0, -1));
      else await writer.addBytes(path, text);
    }
    return api.create('collections', { ...attributes, manifest_text: writer.finish().manifestText });
  };

  const end = async (container: Container, ending: FakeEnding) => {
    if (ending.error !== undefined) {
      const runtime_status = { error: ending.error, retryable: false, ...ending.status };
      await api.update('containers', container.uuid, { state: 'Cancelled', runtime_status });
      return;
    }
    const output = await collection(ending.output ?? {}, { properties: ending.properties ?? {} });
    const log = await collection({ 'stderr.txt': ending.stderr ?? '' });
    await api.update('containers', container.uuid, {
      state: 'Complete',
      exit_code: ending.exitCode ?? 0,
      output: output.portable_data_hash,
      log: log.portable_data_hash,
      output_properties: ending.properties ?? {},
      runtime_status: ending.status ?? {},
    });
  };

  return {
    folder,
    api,
    blocks,
    events,
    collection,
    image: (name, digit, properties = {}) =>
      collection(imageEnding(name, digit).output ?? {}, { properties: imageProperties(name, digit, properties) }),
    imageServices(more = {}) {
      const waiter = createRequestWaiter(api);
      closing.push(waiter.close);
      return {
        api,
        blocks,
        waiter,
        inputs: createInputStore({ api, blocks }),
        emit: (event) => void events.push(event),
        pull: 'missing',
        reuse: true,
        properties: { 'hm:run': 'the run' },
        resolveDigest: async () => {
          throw new Error('no registry here');
        },
        saveImage: async (image, { collection: name, references }) => {
          const signal = new AbortController().signal;
          return (await saveImage(image, { api, blocks, name, references, signal })).portable_data_hash;
        },
        checkReach: async () => {},
        gitFacts: async () => undefined,
        git: noGit,
        ...more,
      };
    },
    startEngine(work) {
      const dispatcher = createDispatcher({
        cluster: api,
        capacity: { vcpus: 64, ramBytes: 2 ** 40 },
        logger: silentLogger,
        runContainer: async (container, signal) => {
          await api.update('containers', container.uuid, { state: 'Running' });
          await end(container, await work(container, signal));
        },
      });
      closing.unshift(() => dispatcher.stop());
    },
    requests: async () =>
      (await api.list('container_requests', { order: ['created_at', 'uuid'], limit: 1000 })).items.filter(
        ({ state }) => state !== 'Uncommitted',
      ),
    warnings: () => events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
    async close() {
      for (const task of closing) await task();
      api.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export const isBuiltin = (container: Container): boolean => container.container_image === builtinImage;
