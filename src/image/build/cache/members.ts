import { Readable } from 'node:stream';
import type { TarEntry } from '../../tar/entry.ts';
import { tarEnd, tarFill, tarHeader } from '../../tar/write.ts';

export interface LayerMember {
  readonly entry: TarEntry;
  /** Exactly `entry.size` bytes; absent for all but files. */
  readonly body?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** A layer tar of `members` in their order. Equal members give equal bytes. */
export function writeMembers(members: AsyncIterable<LayerMember> | Iterable<LayerMember>): Readable {
  return Readable.from(coalesce(tarChunks(members)), { objectMode: false });
}

async function* tarChunks(members: AsyncIterable<LayerMember> | Iterable<LayerMember>): AsyncGenerator<Uint8Array> {
  for await (const { entry, body } of members) {
    yield tarHeader(entry.type === 'directory' ? { ...entry, path: `${entry.path}/` } : entry);
    if (entry.type !== 'file' || entry.size === 0) continue;
    let written = 0;
    for await (const chunk of body ?? []) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== entry.size) throw new Error(`expected ${entry.size} bytes of ${entry.path}, got ${written}`);
    yield tarFill(written);
  }
  yield tarEnd();
}

const pieceBytes = 128 * 1024;

/** Many small files make many small chunks, and each costs its readers a turn of the event loop: they go on in larger pieces. */
async function* coalesce(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    size += chunk.length;
    if (size < pieceBytes) continue;
    yield waiting.length === 1 ? chunk : Buffer.concat(waiting);
    [waiting, size] = [[], 0];
  }
  if (size > 0) yield Buffer.concat(waiting);
}
