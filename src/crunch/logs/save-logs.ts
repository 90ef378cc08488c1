import { buildCollection } from '../../keep/build-collection.ts';
import type { Collection, CollectionFile } from '../../keep/collection.ts';
import { toSegments } from '../../keep/collection-writer.ts';
import type { LocalBlockStore } from '../../keep/port.ts';
import { maxBlockBytes } from '../../keep/port.ts';
import type { FinishedLog } from './log-file.ts';
import { sharedBlocksOf } from './shared-blocks.ts';

/**
 * The log as a collection. What never reached the disk goes into one block together, with that of others that
 * end at the same time: a trivial container costs one write at most.
 * The live files stay as they are.
 */
export async function saveLogs(logs: readonly FinishedLog[], blocks: LocalBlockStore): Promise<Collection> {
  const files: CollectionFile[] = [];
  const small = logs.filter((log) => log.kind === 'memory');
  const packed = Buffer.concat(small.map((log) => log.content));
  if (packed.length > maxBlockBytes) throw new RangeError('held logs outgrew a block');
  if (packed.length > 0) {
    const part = await sharedBlocksOf(blocks).write(packed);
    const { locator } = part;
    let { offset } = part;
    for (const { name, content } of small) {
      const { length } = content;
      files.push({ path: name, sizeBytes: length, segments: [{ locator, offset, length }] });
      offset += length;
    }
  }
  for (const log of logs) {
    if (log.kind !== 'disk') continue;
    const stored = await blocks.storeFile(log.path);
    files.push({ path: log.name, sizeBytes: stored.sizeBytes, segments: toSegments(stored) });
  }
  return buildCollection(files);
}
