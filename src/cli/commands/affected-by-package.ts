import { hostImage } from '../../api/records.ts';
import { mapLimited } from '../../core/concurrency.ts';
import { toMessage } from '../../core/errors.ts';
import { isPortableDataHash, type PortableDataHash } from '../../core/ids.ts';
import { findPackages, type PackageAnswer, type PackageQuery } from '../../image/packages/query.ts';
import { listImages, type StoredImage } from '../../provenance/ingredients.ts';
import { listAll } from '../../provenance/records.ts';
import type { ClusterHandle } from '../wire/handle.ts';
import { createListPackages, type ListPackages } from '../wire/packages.ts';

/** An image and what it answered to a question for packages. */
export interface ImageAnswer extends PackageAnswer {
  readonly names: readonly string[];
  readonly imageHash: string;
  /** Its archives in Keep. */
  readonly contents: readonly PortableDataHash[];
}

/** What all that ran answered. */
export interface PackageAnswers {
  /** Without those that have no package of that name for certain. */
  readonly images: readonly ImageAnswer[];
  /** How many images were asked. */
  readonly asked: number;
  /** Containers that ended well, and whose software no image in Keep tells. */
  readonly unrecorded: { readonly onHost: number; readonly imageGone: number };
}

/** Asks every image in Keep. */
export async function askImages(cluster: ClusterHandle, query: PackageQuery): Promise<PackageAnswers> {
  const listPackages = createListPackages(cluster);
  const stored = await listImages(cluster.api);
  const answers = await mapLimited(stored, 2, (image) => askImage(image, query, listPackages));
  return {
    images: answers.filter(({ found, others, unknown }) => found.length + others.length + unknown.length > 0),
    asked: stored.length,
    unrecorded: await countUnrecorded(cluster, new Set(stored.flatMap(({ contents }) => contents))),
  };
}

async function askImage(image: StoredImage, query: PackageQuery, listPackages: ListPackages): Promise<ImageAnswer> {
  const [content] = image.contents;
  try {
    return { ...image, ...findPackages(await listPackages(content), query) };
  } catch (error) {
    return { ...image, found: [], others: [], unknown: [`the image could not be read: ${toMessage(error)}`] };
  }
}

async function countUnrecorded(
  { api }: ClusterHandle,
  stored: ReadonlySet<string>,
): Promise<PackageAnswers['unrecorded']> {
  const ended = await listAll(api, 'containers', {
    filters: [['state', '=', 'Complete']],
    select: ['container_image', 'uuid', 'created_at'],
  });
  const images = ended.map(({ container_image }) => container_image);
  return {
    onHost: images.filter((image) => image === hostImage).length,
    imageGone: images.filter((image) => isPortableDataHash(image) && !stored.has(image)).length,
  };
}

/** A line for each image: what it has, in which other versions, or why that is not known; then what nobody can know. */
export function renderAnswers({ images, asked, unrecorded }: PackageAnswers): string {
  const lines = images.flatMap(({ names, imageHash, found, others, unknown }) => {
    const name = [...names, imageHash.slice(0, 19)].join(', ');
    return [
      ...found.map(({ purl }) => `has      ${name}: ${purl}`),
      ...others.map(({ purl }) => `not      ${name}: ${purl}`),
      ...unknown.map((reason) => `unknown  ${name}: ${reason}`),
    ];
  });
  const { onHost, imageGone } = unrecorded;
  if (onHost > 0) lines.push(`unknown  steps on the host itself, whose software no record holds: ${onHost}`);
  if (imageGone > 0) lines.push(`unknown  steps in images that are no longer in Keep: ${imageGone}`);
  lines.push(`asked    images in Keep: ${asked}`);
  return lines.map((line) => `${line}\n`).join('');
}
