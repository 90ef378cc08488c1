import { isDigest } from '../../core/ids.ts';
import { imageError } from '../errors.ts';
import { makeImage } from '../make-image.ts';
import { type Manifest, parseManifest } from '../manifest.ts';
import type { Descriptor } from '../model.ts';
import { choosePlatform, formatPlatform, hostPlatform } from '../platform.ts';
import { formatReference, parseReference } from '../reference.ts';
import { checkBytes, digestOf } from '../streams.ts';
import { type BlobFile, type BlobFolder, badArchive, noSuchTag, readFile } from './files.ts';
import { openFileLayer } from './layers.ts';
import type { ArchivedImage, OpenArchiveOptions } from './model.ts';

const refName = 'org.opencontainers.image.ref.name';
const containerdName = 'io.containerd.image.name';
const maxDepth = 4;

const namesOf = ({ annotations }: Descriptor): string[] =>
  [annotations?.[containerdName], annotations?.[refName]].filter((name) => name !== undefined);

/** OCI image-spec 1.1, "Image Layout": index.json names the images, blobs/sha256 holds everything. */
export async function openLayoutImage(folder: BlobFolder, options: OpenArchiveOptions): Promise<ArchivedImage> {
  const index = parseManifest(await readFile(folder, 'index.json'), folder.name);
  if (index.kind !== 'index') throw badArchive(folder.name, 'expected an index in index.json');
  const top = choose(folder, index.manifests, options);
  const manifest = await descend(folder, top, options, maxDepth);
  const configBytes = await readBlob(folder, manifest.config);
  const files = await Promise.all(manifest.layers.map((layer) => findBlob(folder, layer)));
  const image = makeImage(configBytes, manifest.layers, folder.name, (descriptor, at) =>
    openFileLayer(files[at] as BlobFile, descriptor),
  );
  return { ...image, repoTags: namesOf(top) };
}

function choose(
  folder: BlobFolder,
  manifests: readonly Descriptor[],
  { select, platform }: OpenArchiveOptions,
): Descriptor {
  const named = select === undefined ? manifests : manifests.filter((one) => isNamed(one, select));
  const several = new Set(named.map((one) => namesOf(one).join())).size > 1;
  const found = several ? undefined : choosePlatform(named, platform ?? hostPlatform());
  if (found) return found;
  throw noSuchTag(
    folder,
    select,
    manifests.map((one) => namesOf(one).join(', ') || one.digest),
  );
}

/** A layout names an image by its whole reference or by its tag alone. */
function isNamed(one: Descriptor, select: string): boolean {
  if (isDigest(select)) return one.digest === select;
  const wanted = parseReference(select);
  return namesOf(one).some((name) => name === select || name === wanted.tag || name === formatReference(wanted));
}

type ImageManifest = Extract<Manifest, { kind: 'image' }>;

async function descend(
  folder: BlobFolder,
  at: Descriptor,
  options: OpenArchiveOptions,
  depth: number,
): Promise<ImageManifest> {
  const manifest = parseManifest(await readBlob(folder, at), folder.name, at.mediaType);
  if (manifest.kind === 'image') return manifest;
  const platform = options.platform ?? hostPlatform();
  const next = choosePlatform(manifest.manifests, platform);
  if (next && depth > 0) return descend(folder, next, options, depth - 1);
  throw imageError('image/no-platform', `${folder.name}: no image for ${formatPlatform(platform)}`, {
    hint: `it has ${manifest.manifests.map((one) => (one.platform ? formatPlatform(one.platform) : one.digest)).join(', ')}`,
  });
}

async function findBlob(folder: BlobFolder, { digest }: Descriptor): Promise<BlobFile> {
  const file = await folder.find(`blobs/sha256/${digest.slice('sha256:'.length)}`);
  if (!file) throw badArchive(folder.name, `the blob ${digest} is missing`);
  return file;
}

async function readBlob(folder: BlobFolder, descriptor: Descriptor): Promise<Buffer> {
  const bytes = await readFile(folder, (await findBlob(folder, descriptor)).path);
  checkBytes({ digest: digestOf(bytes), size: bytes.length }, descriptor, `${folder.name}, ${descriptor.digest}`);
  return bytes;
}
