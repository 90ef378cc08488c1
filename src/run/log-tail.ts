import type { ClusterApi } from '../api/port.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { openFile } from '../keep/file-reader.ts';
import type { BlockStore } from '../keep/port.ts';
import { readLog } from './collections.ts';

const timestamp = /^\d{4}-\d\d-\d\dT[\d:.]+Z /;
const tailBytes = 64 * 1024;

/** The last lines of one file of a log collection, without their times; none where it cannot be read. */
export async function lastLines(
  services: { readonly api: ClusterApi; readonly blocks: BlockStore },
  log: PortableDataHash,
  name: string,
  count: number,
): Promise<string[]> {
  const collection = await readLog(services.api, log).catch(() => undefined);
  const file = collection?.files.get(name);
  if (!file) return [];
  const chunks: Buffer[] = [];
  const start = Math.max(0, file.sizeBytes - tailBytes);
  for await (const chunk of openFile(services.blocks, file, { start })) chunks.push(chunk as Buffer);
  const lines = Buffer.concat(chunks)
    .toString('utf8')
    .split('\n')
    .slice(start > 0 ? 1 : 0);
  return lines
    .filter((line) => line !== '')
    .slice(-count)
    .map((line) => line.replace(timestamp, ''));
}
