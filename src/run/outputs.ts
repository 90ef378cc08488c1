import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { ClusterApi } from '../api/port.ts';
import type { CwlDirectory, CwlFile, CwlObject } from '../cwl/values.ts';
import { isFile } from '../cwl/values.ts';
import { mapFileObjectsAsync } from '../job/file-objects.ts';
import type { BlockStore } from '../keep/port.ts';
import { createOutputContent, type OutputContent, outputFailed } from './output-content.ts';
import { outputName, takeNames } from './output-names.ts';

export interface LocateOptions {
  readonly api: ClusterApi;
  readonly blocks: BlockStore;
  /** `sha1$…` of each file in the output object. */
  readonly computeChecksum: boolean;
}

export interface OutputOptions extends LocateOptions {
  /** Where the files go: made when it does not exist. */
  readonly outdir: string;
}

type Entry = CwlFile | CwlDirectory;

/**
 * Copies every File and Directory of the output object out of Keep into `outdir` and returns the object with `file:` locations.
 * Two outputs of one name get different ones (`name_2.ext`); one file that is named twice is copied once. Nothing is written
 * outside `outdir`. Fails with `run/outputs-failed`.
 */
export async function writeOutputs(outputs: CwlObject, options: OutputOptions): Promise<CwlObject> {
  const { outdir } = options;
  await makeDirectory(outdir);
  const writer: Writer = { content: createOutputContent(options.api, options.blocks), ...options };
  const taken = new Set<string>();
  const written = new Map<string, Promise<Entry>>();
  return mapFileObjectsAsync(outputs, (output) => {
    const key = JSON.stringify(output);
    const task = written.get(key) ?? place(writer, output, { folder: outdir, taken });
    written.set(key, task);
    return task;
  });
}

/** The output object with all its files left in Keep, sizes and checksums filled in. */
export async function locateOutputs(outputs: CwlObject, options: LocateOptions): Promise<CwlObject> {
  const content = createOutputContent(options.api, options.blocks);
  const locate = async (output: Entry): Promise<Entry> => {
    if (!isFile(output)) return output;
    const { nameroot: _nameroot, nameext: _nameext, dirname: _dirname, secondaryFiles, ...rest } = output;
    const { sizeBytes, sha1 } = await content.measure(output);
    const checksum = options.computeChecksum ? { checksum: `sha1$${sha1}` } : {};
    const secondary = secondaryFiles && { secondaryFiles: await Promise.all(secondaryFiles.map(locate)) };
    return { ...rest, size: sizeBytes, ...checksum, ...secondary };
  };
  return mapFileObjectsAsync(outputs, locate);
}

interface Writer {
  readonly content: OutputContent;
  readonly computeChecksum: boolean;
}

interface Place {
  readonly folder: string;
  /** Names that are used in the folder. */
  readonly taken: Set<string>;
}

/** An output and, beside it, its secondaryFiles. */
async function place(writer: Writer, output: Entry, { folder, taken }: Place): Promise<Entry> {
  const secondary = isFile(output) ? (output.secondaryFiles ?? []) : [];
  const [name = '', ...names] = takeNames([output, ...secondary].map(outputName), taken);
  const placed = await placeAlone(writer, output, join(folder, name));
  if (secondary.length === 0) return placed;
  const secondaryFiles: Entry[] = [];
  for (const [index, item] of secondary.entries())
    secondaryFiles.push(await placeAlone(writer, item, join(folder, names[index] ?? '')));
  return { ...placed, secondaryFiles };
}

const placeAlone = (writer: Writer, output: Entry, path: string): Promise<Entry> =>
  isFile(output) ? placeFile(writer, output, path) : placeDirectory(writer, output, path);

async function placeFile(writer: Writer, file: CwlFile, path: string): Promise<CwlFile> {
  const { dirname: _dirname, nameroot: _nameroot, nameext: _nameext, contents, secondaryFiles: _, ...rest } = file;
  const { sizeBytes, sha1 } = await writer.content.copy(file, path);
  return {
    ...rest,
    ...(contents !== undefined && file.location !== undefined ? { contents } : {}),
    ...toLocal(path),
    size: sizeBytes,
    ...(writer.computeChecksum ? { checksum: `sha1$${sha1}` } : {}),
  };
}

/** Small files are written without the thread pool; after this many, timers and signals get their turn. */
const filesPerTurn = 256;

async function placeDirectory(writer: Writer, directory: CwlDirectory, path: string): Promise<CwlDirectory> {
  await makeDirectory(path);
  const listing: Entry[] = [];
  const inside = { folder: path, taken: new Set<string>() };
  for (const item of await writer.content.list(directory)) {
    listing.push(await place(writer, item, inside));
    if (listing.length % filesPerTurn === 0) await setImmediate();
  }
  return { ...directory, ...toLocal(path), listing };
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw outputFailed(path, cause);
  }
}

const toLocal = (path: string) => ({
  location: pathToFileURL(path).href,
  path,
  basename: path.slice(path.lastIndexOf('/') + 1),
});
