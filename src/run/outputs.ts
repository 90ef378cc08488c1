import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { ClusterApi } from '../api/port.ts';
import type { CwlDirectory, CwlFile, CwlObject } from '../cwl/values.ts';
import { isFile } from '../cwl/values.ts';
import { mapFileObjectsAsync } from '../job/file-objects.ts';
import type { BlockStore } from '../keep/port.ts';
import { createOutputContent, type OutputContent, outputFailed, type Written } from './output-content.ts';
import { contentOf, outputName, takeNames } from './output-names.ts';

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
  const top = placeIn(outdir);
  return mapFileObjectsAsync(outputs, (output) => place(writer, output, top));
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
  /** Names that are used in the folder, and by what. */
  readonly taken: Map<string, string>;
  /** What is written, or on its way, by name. */
  readonly files: Map<string, Promise<Written>>;
  readonly directories: Map<string, Promise<CwlDirectory>>;
}

const placeIn = (folder: string): Place => ({ folder, taken: new Map(), files: new Map(), directories: new Map() });

/** An output and, beside it, its secondaryFiles. */
async function place(writer: Writer, output: Entry, inside: Place): Promise<Entry> {
  const secondary = isFile(output) ? (output.secondaryFiles ?? []) : [];
  const wanted = [output, ...secondary].map((item) => ({ name: outputName(item), content: contentOf(item) }));
  const [name = '', ...names] = takeNames(wanted, inside.taken);
  const placed = await placeAlone(writer, output, name, inside);
  if (secondary.length === 0) return placed;
  const secondaryFiles: Entry[] = [];
  for (const [index, item] of secondary.entries())
    secondaryFiles.push(await placeAlone(writer, item, names[index] ?? '', inside));
  return { ...placed, secondaryFiles };
}

async function placeAlone(writer: Writer, output: Entry, name: string, inside: Place): Promise<Entry> {
  const path = join(inside.folder, name);
  if (isFile(output)) {
    const written = inside.files.get(name) ?? writer.content.copy(output, path);
    inside.files.set(name, written);
    return toPlaced(output, path, await written, writer.computeChecksum);
  }
  const directory = inside.directories.get(name) ?? placeDirectory(writer, output, path);
  inside.directories.set(name, directory);
  return directory;
}

function toPlaced(file: CwlFile, path: string, { sizeBytes, sha1 }: Written, computeChecksum: boolean): CwlFile {
  const { dirname: _dirname, nameroot: _nameroot, nameext: _nameext, contents, secondaryFiles: _, ...rest } = file;
  return {
    ...rest,
    ...(contents !== undefined && file.location !== undefined ? { contents } : {}),
    ...toLocal(path),
    size: sizeBytes,
    ...(computeChecksum ? { checksum: `sha1$${sha1}` } : {}),
  };
}

/** Small files are written without the thread pool; after this many, timers and signals get their turn. */
const filesPerTurn = 256;

async function placeDirectory(writer: Writer, directory: CwlDirectory, path: string): Promise<CwlDirectory> {
  await makeDirectory(path);
  const listing: Entry[] = [];
  const inside = placeIn(path);
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
