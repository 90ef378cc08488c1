import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Contents that come in one order and are wanted in another wait in one scratch file. */
export interface Spool {
  add(key: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  read(key: string): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

const readBytes = 256 * 1024;

export async function createSpool(): Promise<Spool> {
  const folder = await mkdtemp(join(tmpdir(), 'hallmark-copy-'));
  const handle = await open(join(folder, 'content'), 'w+');
  // Without its name it goes with its last descriptor, also in a crash.
  await rm(folder, { recursive: true });
  const places = new Map<string, { start: number; size: number }>();
  let end = 0;
  return {
    async add(key, content) {
      const start = end;
      for await (const chunk of content) {
        await handle.write(chunk, 0, chunk.length, end);
        end += chunk.length;
      }
      places.set(key, { start, size: end - start });
    },
    async *read(key) {
      const { start, size } = places.get(key) ?? { start: 0, size: 0 };
      for (let done = 0; done < size; ) {
        const chunk = Buffer.allocUnsafe(Math.min(readBytes, size - done));
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, start + done);
        if (bytesRead === 0) throw new Error(`expected ${size} spooled bytes of ${key}, got ${done}`);
        done += bytesRead;
        yield chunk.subarray(0, bytesRead);
      }
    },
    close: () => handle.close(),
  };
}
