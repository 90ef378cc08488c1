import { type Digest, isDigest } from '../../core/ids.ts';
import { isJsonObject } from '../../core/json.ts';
import { makeImage } from '../make-image.ts';
import { parseConfig } from '../manifest.ts';
import type { Descriptor } from '../model.ts';
import { parseReference, toFamiliarName } from '../reference.ts';
import { digestOf } from '../streams.ts';
import type { RandomAccess } from '../tar/source.ts';
import {
  type BlobFile,
  type BlobFolder,
  badArchive,
  findFile,
  noSuchTag,
  openTarFolder,
  parseJson,
  readFile,
  readSmall,
} from './files.ts';
import { openDiskFolder } from './folder.ts';
import { describeLayer, openFileLayer } from './layers.ts';
import { openLayoutImage } from './layout.ts';
import type { ArchivedImage, OpenArchiveOptions } from './model.ts';

interface ManifestItem {
  readonly config: string;
  readonly repoTags: readonly string[];
  readonly layers: readonly string[];
  readonly layerSources: Record<string, unknown>;
}

/**
 * Opens an image archive of any writer: `docker save` (classic and containerd), `podman save`, skopeo, buildx, ours. Reads headers,
 * manifest and config; layers are read, and verified, when they are opened.
 */
export async function openArchive(archive: RandomAccess, options: OpenArchiveOptions = {}): Promise<ArchivedImage> {
  return openFolder(await openTarFolder(archive, options.name ?? '(unnamed)', options.signal), options);
}

/** Every image of an archive, where `openArchive` wants to be told which. */
export async function openArchiveImages(
  archive: RandomAccess,
  options: OpenArchiveOptions = {},
): Promise<ArchivedImage[]> {
  const folder = await openTarFolder(archive, options.name ?? '(unnamed)', options.signal);
  const manifest = await folder.find('manifest.json');
  if (!manifest) return [await openFolder(folder, options)];
  return Promise.all((await readItems(folder, manifest)).map((item) => openItem(folder, item)));
}

/** Opens an OCI layout folder (image-spec 1.1, "Image Layout"), or an unpacked `docker save` archive. */
export function openLayout(path: string, options: OpenArchiveOptions = {}): Promise<ArchivedImage> {
  return openFolder(openDiskFolder(path), options);
}

async function openFolder(folder: BlobFolder, options: OpenArchiveOptions): Promise<ArchivedImage> {
  const manifest = await folder.find('manifest.json');
  if (manifest) return openItem(folder, await chooseItem(folder, await readItems(folder, manifest), options.select));
  if (await folder.find('index.json')) return openLayoutImage(folder, options);
  throw badArchive(folder.name, 'it has neither manifest.json nor index.json');
}

async function openItem(folder: BlobFolder, item: ManifestItem): Promise<ArchivedImage> {
  const configBytes = await readFile(folder, item.config);
  const diffIds = parseConfig(configBytes, folder.name).rootfs.diff_ids;
  const files: BlobFile[] = [];
  const descriptors: Descriptor[] = [];
  for (const [index, path] of item.layers.entries()) {
    const file = await findFile(folder, path);
    const diffId = diffIds[index] ?? ('' as Digest);
    files.push(file);
    descriptors.push(await describeLayer(file, diffId, item.layerSources[diffId]));
  }
  const image = makeImage(configBytes, descriptors, folder.name, (descriptor, index) =>
    openFileLayer(files[index] as BlobFile, descriptor),
  );
  return { ...image, repoTags: item.repoTags };
}

async function readItems(folder: BlobFolder, file: BlobFile): Promise<ManifestItem[]> {
  const json: unknown = parseJson(await readSmall(folder, file), folder);
  if (!Array.isArray(json)) throw badArchive(folder.name, 'expected an array in manifest.json');
  return json.map((item: unknown) => {
    if (!isJsonObject(item) || typeof item.Config !== 'string' || !isTexts(item.Layers)) {
      throw badArchive(folder.name, 'expected Config and Layers in each item of manifest.json');
    }
    const { Config: config, Layers: layers, RepoTags: tags, LayerSources: sources } = item;
    return { config, layers, repoTags: isTexts(tags) ? tags : [], layerSources: isJsonObject(sources) ? sources : {} };
  });
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** The only image, or the one whose tag or hash is `select`; otherwise an error that lists what there is. */
async function chooseItem(folder: BlobFolder, items: readonly ManifestItem[], select?: string): Promise<ManifestItem> {
  const [only, second] = items;
  if (!only) throw badArchive(folder.name, 'it holds no image');
  if (select === undefined && !second) return only;
  if (select !== undefined) {
    const tag = isDigest(select) ? undefined : toFamiliarName(parseReference(select));
    for (const item of items) {
      if (tag === undefined ? digestOf(await readFile(folder, item.config)) === select : hasTag(item, tag)) return item;
    }
  }
  throw noSuchTag(
    folder,
    select,
    items.map((item) => item.repoTags.join(', ') || item.config),
  );
}

const hasTag = (item: ManifestItem, tag: string): boolean =>
  item.repoTags.some((one) => one === tag || safeName(one) === tag);

/** podman writes `docker.io/library/debian:x` and `localhost/x:y`, docker `debian:x`. */
function safeName(text: string): string | undefined {
  try {
    return toFamiliarName(parseReference(text.replace(/^localhost\//, '')));
  } catch {
    return undefined;
  }
}
