import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest, PortableDataHash } from '../../core/ids.ts';
import { createCollectionReader } from '../../crunch/collections.ts';
import { createImageOpener } from '../../crunch/images/opener.ts';
import { mergedTree } from '../../image/layers/merged-tree.ts';
import type { PackageList } from '../../image/packages/model.ts';
import { readPackages } from '../../image/packages/read-packages.ts';
import type { ClusterHandle } from './handle.ts';

/** Part of the name of kept lists: raised when they would read otherwise. */
const listVersion = 1;

export interface ListedImage extends PackageList {
  readonly imageHash: Digest;
}

export type ListPackages = (image: PortableDataHash) => Promise<ListedImage>;

/** Package lists of image collections. What a list says follows from the image alone, so it is kept in the home by the image hash. */
export function createListPackages({ api, blocks, home }: ClusterHandle): ListPackages {
  const images = createImageOpener(createCollectionReader(api), blocks);
  const folder = join(home, 'packages');
  return async (hash) => {
    const { image } = await images.open(hash);
    const path = join(folder, `${image.imageHash}.${listVersion}.json`);
    const kept = await readFile(path, 'utf8').catch(() => undefined);
    const { imageHash } = image;
    if (kept !== undefined) return { imageHash, ...(JSON.parse(kept) as PackageList) };
    const list = await readPackages(await mergedTree(image.layers));
    await mkdir(folder, { recursive: true });
    await writeFile(`${path}.${process.pid}`, JSON.stringify(list));
    await rename(`${path}.${process.pid}`, path);
    return { imageHash, ...list };
  };
}
