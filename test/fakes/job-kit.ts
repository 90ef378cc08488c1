import type { JsonValue } from '../../src/core/json.ts';
import { loadProcess } from '../../src/cwl/load.ts';
import type { CommandLineTool, Process, Workflow } from '../../src/cwl/model.ts';
import type { CwlObject } from '../../src/cwl/values.ts';
import type { JobFiles } from '../../src/job/files.ts';
import type { JobPaths, PreparedJob, StagedBlock } from '../../src/job/model.ts';
import { containerPaths } from '../../src/job/paths.ts';
import { inheritRequirements, noRequirements } from '../../src/job/requirements.ts';
import { toToolJob } from '../../src/job/tool/tool-job.ts';
import { buildCollection } from '../../src/keep/build-collection.ts';
import type { Collection, CollectionFile } from '../../src/keep/collection.ts';
import { formatKeepLocation } from '../../src/keep/location.ts';
import { createMemoryBlockStore } from '../../src/keep/memory-store.ts';
import { createFakeJsEngine } from './js-engine.ts';

/** Loads a process that is written as JSON; `cwlVersion` is v1.2 unless given. */
export function loadInline(document: { readonly [field: string]: JsonValue }): Promise<Process> {
  const text = JSON.stringify({ cwlVersion: 'v1.2', ...document });
  return loadProcess('file:///doc.cwl', {
    fetcher: { fetchText: async () => text, exists: async () => true },
  });
}

export const loadTool = async (fields: { readonly [field: string]: JsonValue }): Promise<CommandLineTool> =>
  (await loadInline({
    class: 'CommandLineTool',
    baseCommand: 'tool',
    inputs: {},
    outputs: {},
    ...fields,
  })) as CommandLineTool;

export const loadWorkflow = async (fields: { readonly [field: string]: JsonValue }): Promise<Workflow> =>
  (await loadInline({ class: 'Workflow', inputs: {}, outputs: {}, ...fields })) as Workflow;

export interface FakeKeep extends JobFiles {
  /** Stores files by path; a path that ends in `/` is an empty directory. */
  store(files: { readonly [path: string]: string }): Promise<Collection>;
  /** Location of the only file of a new collection. */
  storeFile(name: string, content: string): Promise<string>;
  save(prepared: PreparedJob): Promise<void>;
  readText(collection: Collection, path: string): Promise<string>;
}

/** Keep in memory, as the job room sees it. */
export function createFakeKeep(): FakeKeep {
  const blocks = createMemoryBlockStore();
  const collections = new Map<string, Collection>();
  const add = (collection: Collection) => {
    collections.set(collection.portableDataHash, collection);
    return collection;
  };
  const toFile = async (path: string, content: string): Promise<CollectionFile> => {
    const data = new TextEncoder().encode(content);
    if (data.length === 0) return { path, sizeBytes: 0, segments: [] };
    const locator = await blocks.write(data);
    return { path, sizeBytes: data.length, segments: [{ locator, offset: 0, length: data.length }] };
  };
  const readStart = async (file: CollectionFile, limitBytes: number) => {
    const parts = await Promise.all(
      file.segments.map(async ({ locator, offset, length }) =>
        (await blocks.read(locator)).subarray(offset, offset + length),
      ),
    );
    return new Uint8Array(Buffer.concat(parts).subarray(0, limitBytes));
  };
  const store = async (files: { readonly [path: string]: string }) => {
    const names = Object.keys(files);
    const plain = names.filter((name) => !name.endsWith('/'));
    const directories = names.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1));
    return add(buildCollection(await Promise.all(plain.map((name) => toFile(name, files[name] ?? ''))), directories));
  };
  return {
    store,
    readStart,
    storeFile: async (name, content) => formatKeepLocation((await store({ [name]: content })).portableDataHash, name),
    openCollection: async (hash) => {
      const found = collections.get(hash);
      if (found) return found;
      throw new Error(`no collection ${hash}`);
    },
    save: async (prepared) => {
      await Promise.all(prepared.blocks.map((block: StagedBlock) => blocks.write(block.data)));
      prepared.collections.forEach(add);
    },
    readText: async (collection, path) => {
      const file = collection.files.get(path);
      if (!file) throw new Error(`no file ${path} in ${[...collection.files.keys()].join(', ')}`);
      return new TextDecoder().decode(await readStart(file, file.sizeBytes));
    },
  };
}

export const fakeJavascript = { engine: createFakeJsEngine() };

export interface PrepareOptions {
  readonly keep?: FakeKeep;
  readonly paths?: JobPaths;
  readonly inContainer?: boolean;
}

/** The job of a tool that runs alone as `main`; what it combined is saved in `keep`. */
export async function prepareJob(
  tool: CommandLineTool,
  inputs: CwlObject,
  { keep = createFakeKeep(), paths = containerPaths, inContainer = true }: PrepareOptions = {},
): Promise<PreparedJob> {
  const requirements = inheritRequirements(noRequirements, tool);
  const step = { id: 1, name: 'main', process: tool, inputs, requirements };
  const prepared = await toToolJob(step, { keep, javascript: fakeJavascript, paths, inContainer });
  await keep.save(prepared);
  return prepared;
}

/** For `expect(…).rejects` and `toThrowError`. */
export const withCode = (code: string, message?: RegExp) => ({
  asymmetricMatch: (error: unknown) =>
    error instanceof Error &&
    'code' in error &&
    error.code === code &&
    (message === undefined || message.test(error.message)),
  toString: () => `error ${code} ${message ?? ''}`,
});
