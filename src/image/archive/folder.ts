import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RandomAccess } from '../tar/source.ts';
import type { BlobFolder } from './files.ts';

/** A folder of the disk, an OCI layout say. Only names made of an image's own digests and fixed names are looked up in it. */
export function openDiskFolder(root: string): BlobFolder {
  return {
    name: root,
    async find(path) {
      const file = join(root, path);
      const stats = await stat(file).catch(() => undefined);
      if (!stats?.isFile() || path.split('/').includes('..')) return undefined;
      return {
        path,
        sizeBytes: stats.size,
        open: async (_signal, offset = 0) => createReadStream(file, { start: offset }),
      };
    },
  };
}

/** A file of the disk as `openArchive` wants it. The file is opened anew for each range. */
export async function fileAccess(path: string): Promise<RandomAccess> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return {
      sizeBytes: size,
      openRange: (start, end) =>
        createReadStream(path, { start, end: Math.max(start, end - 1), highWaterMark: 256 * 1024 }),
    };
  } finally {
    await file.close();
  }
}
