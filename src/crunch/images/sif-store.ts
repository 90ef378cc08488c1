import { constants, createWriteStream } from 'node:fs';
import { copyFile, link, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { ClusterApi } from '../../api/port.ts';
import { toMessage } from '../../core/errors.ts';
import type { Digest } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { SifStore } from '../../executor/apptainer/sif-store.ts';
import type { CollectionFile } from '../../keep/collection.ts';
import { createCollectionWriter } from '../../keep/collection-writer.ts';
import { openFile } from '../../keep/file-reader.ts';
import { blockSizeBytes } from '../../keep/locator.ts';
import { parseManifest } from '../../keep/manifest.ts';
import type { LocalBlockStore } from '../../keep/port.ts';

/**
 * Property of a collection of one file, `sha256:<image hash>.sif`: the hash of the image that the SIF was made of. It has no
 * `docker-image-hash`, by which clients find image collections: it is none.
 */
export const sifProperty = 'sif-of-image-hash';

export interface KeepSifStoreOptions {
  readonly api: Pick<ClusterApi, 'list' | 'create'>;
  readonly blocks: LocalBlockStore;
  readonly logger: Logger;
}

/** SIFs in Keep, where everybody who may read the collection finds them. */
export function createKeepSifStore({ api, blocks, logger }: KeepSifStoreOptions): SifStore {
  return {
    async find(imageHash, path) {
      try {
        for (const file of await listSifs(api, imageHash)) {
          if (await tryWrite(file, path, blocks, logger)) return true;
        }
      } catch (error) {
        logger.warn(`cannot look for the SIF of image ${imageHash} in Keep: ${toMessage(error)}`);
      }
      return false;
    },
    async save(imageHash, path) {
      try {
        await saveSif(imageHash, path, { api, blocks });
      } catch (error) {
        logger.warn(`cannot keep the SIF of image ${imageHash} in Keep: ${toMessage(error)}`);
      }
    },
  };
}

const toFileName = (imageHash: Digest): string => `${imageHash}.sif`;

/** Newest first. A collection that is not what its property says is passed over. */
async function listSifs(api: KeepSifStoreOptions['api'], imageHash: Digest): Promise<CollectionFile[]> {
  const { items } = await api.list('collections', {
    filters: [[`properties.${sifProperty}`, '=', imageHash]],
    select: ['uuid', 'manifest_text'],
    order: ['created_at desc'],
    limit: 4,
  });
  return items.flatMap(({ manifest_text }) => {
    const files = [...parseManifest(manifest_text).files.values()];
    return files.length === 1 && files[0]?.path === toFileName(imageHash) ? files : [];
  });
}

async function tryWrite(file: CollectionFile, path: string, blocks: LocalBlockStore, logger: Logger): Promise<boolean> {
  try {
    await writeSif(file, path, blocks);
    return true;
  } catch (error) {
    await rm(path, { force: true });
    logger.warn(`cannot read ${file.path} from Keep: ${toMessage(error)}`);
    return false;
  }
}

/** As another name of the file that Keep has, where it lies whole on this machine's disk. */
async function writeSif({ segments, ...file }: CollectionFile, path: string, blocks: LocalBlockStore): Promise<void> {
  const isWhole = segments.every(({ locator, offset, length }) => offset === 0 && length === blockSizeBytes(locator));
  const whole = isWhole ? await blocks.wholeFile(segments.map(({ locator }) => locator)) : undefined;
  if (whole === undefined) {
    await pipeline(openFile(blocks, { segments, ...file }), createWriteStream(path, { flags: 'wx', mode: 0o444 }));
    return;
  }
  await link(whole, path).catch(() => copyFile(whole, path, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL));
}

/** Of the two copies that are there then, the one that Keep has becomes the caller's, too. */
async function saveSif(
  imageHash: Digest,
  path: string,
  { api, blocks }: Pick<KeepSifStoreOptions, 'api' | 'blocks'>,
): Promise<void> {
  const writer = createCollectionWriter(blocks);
  const file = await writer.addHostFile(toFileName(imageHash), path);
  await api.create('collections', {
    name: `apptainer image of ${imageHash}`,
    properties: { [sifProperty]: imageHash },
    manifest_text: writer.finish().manifestText,
  });
  const kept = `${path}.kept`;
  try {
    await writeSif(file, kept, blocks);
    await rename(kept, path);
  } finally {
    await rm(kept, { force: true });
  }
}
