import { mapLimited } from '../core/concurrency.ts';
import { toMessage } from '../core/errors.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { findPackages, type PackageAnswer, type PackageQuery } from '../image/packages/query.ts';
import { listImages, type StoredImage } from '../provenance/ingredients.ts';
import type { ClusterHandle } from './wire/handle.ts';
import { createListPackages, type ListPackages } from './wire/packages.ts';

/** An image and what it answered to a question for packages. */
export interface ImageAnswer extends PackageAnswer {
  readonly names: readonly string[];
  readonly imageHash: string;
  /** Its archives in Keep. */
  readonly contents: readonly PortableDataHash[];
}

/** Asks every image in Keep; those that have no such package for certain are left out. */
export async function askImages(cluster: ClusterHandle, query: PackageQuery): Promise<ImageAnswer[]> {
  const listPackages = createListPackages(cluster);
  const answers = await mapLimited(await listImages(cluster.api), 2, (image) => askImage(image, query, listPackages));
  return answers.filter(({ found, unknown }) => found.length + unknown.length > 0);
}

async function askImage(image: StoredImage, query: PackageQuery, listPackages: ListPackages): Promise<ImageAnswer> {
  const [content] = image.contents;
  try {
    return { ...image, ...findPackages(await listPackages(content), query) };
  } catch (error) {
    return { ...image, found: [], unknown: [`the image could not be read: ${toMessage(error)}`] };
  }
}

/** A line for each image: what it has, or why that is not known. */
export function renderAnswers(answers: readonly ImageAnswer[]): string {
  const lines = answers.flatMap(({ names, imageHash, found, unknown }) => {
    const name = [...names, imageHash.slice(0, 19)].join(', ');
    return [
      ...found.map(({ purl }) => `has      ${name}: ${purl}`),
      ...unknown.map((reason) => `unknown  ${name}: ${reason}`),
    ];
  });
  return lines.map((line) => `${line}\n`).join('');
}
