import type { Readable } from 'node:stream';
import { transformed } from '../streams.ts';
import { noXattrs, type TarEntry } from '../tar/entry.ts';
import { type TarHeader, tarEnd, tarFill, tarHeader } from '../tar/write.ts';
import { type LayerEntry, type ReadLayerOptions, readLayerEntries } from './entries.ts';

export interface SanitizeOptions extends ReadLayerOptions {
  readonly signal?: AbortSignal;
}

const opaqueXattr: TarEntry['xattrs'] = new Map([['user.overlay.opaque', Buffer.from('y')]]);

/**
 * A layer tar made safe to extract with GNU tar (`--xattrs --xattrs-include='*'`) into a directory of its own that becomes a
 * `userxattr` lower directory of overlayfs: names lie inside the root and behind no symlink of the layer, hard links point to
 * earlier members, no device is left, whiteouts are character devices 0/0, opaque directories carry `user.overlay.opaque`, and
 * no overlay xattr comes from the layer itself.
 */
export function sanitizeLayer(tar: Readable, options: SanitizeOptions = {}): Readable {
  return transformed(tar, (source) => sanitized(source, options), options.signal);
}

async function* sanitized(tar: Readable, options: ReadLayerOptions): AsyncGenerator<Uint8Array> {
  const directories = createDirectories();
  const batch = createBatch();
  for await (const entry of readLayerEntries(tar, options)) {
    for await (const bytes of toTar(entry, directories)) {
      if (batch.add(bytes) >= batchBytes) yield batch.take();
    }
  }
  batch.add(tarEnd());
  yield batch.take();
}

const batchBytes = 128 * 1024;

/** Joins the many small pieces of small files, each of which would cost a turn of the stream. */
function createBatch() {
  let pieces: Uint8Array[] = [];
  let size = 0;
  return {
    add(piece: Uint8Array): number {
      pieces.push(piece);
      size += piece.length;
      return size;
    },
    take(): Uint8Array {
      const joined = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
      pieces = [];
      size = 0;
      return joined;
    },
  };
}

async function* toTar(entry: LayerEntry, directories: Directories): AsyncGenerator<Buffer> {
  if (entry.kind === 'opaque') {
    yield tarHeader(directories.makeOpaque(entry.path));
  } else if (entry.kind === 'whiteout') {
    directories.noteWhiteout(entry.path);
    yield tarHeader({ path: entry.path, type: 'char' });
  } else if (entry.type === 'directory') {
    yield tarHeader(directories.put(entry));
  } else {
    yield tarHeader({ ...entry, xattrs: withoutOverlay(entry.xattrs) });
    if (entry.type === 'file') {
      yield* entry.content();
      yield tarFill(entry.size);
    }
  }
}

/**
 * The directories of the layer so far: one may become opaque after its own member, or get its member after it became so, and one
 * whose path was whited out first hides the lower one.
 */
function createDirectories() {
  const known = new Map<string, TarHeader>();
  const opaque = new Set<string>();
  const header = (path: string): TarHeader => {
    const directory = known.get(path) ?? { path, type: 'directory', mode: 0o755 };
    const xattrs = opaque.has(path) ? new Map([...(directory.xattrs ?? []), ...opaqueXattr]) : directory.xattrs;
    return { ...directory, path: path === '' ? './' : `${path}/`, ...(xattrs && { xattrs }) };
  };
  return {
    put({ path, mode, uid, gid, mtime, xattrs }: TarEntry): TarHeader {
      known.set(path, { path, type: 'directory', mode, uid, gid, mtime, xattrs: withoutOverlay(xattrs) });
      return header(path);
    },
    makeOpaque(path: string): TarHeader {
      opaque.add(path);
      return header(path);
    },
    noteWhiteout(path: string): void {
      opaque.add(path);
    },
  };
}

type Directories = ReturnType<typeof createDirectories>;

/** overlayfs obeys xattrs of its name spaces, `redirect` among them: a layer must not set them. */
function withoutOverlay(xattrs: TarEntry['xattrs']): TarEntry['xattrs'] {
  if (xattrs.size === 0) return noXattrs;
  return new Map([...xattrs].filter(([key]) => !/^(user|trusted)\.overlay\./.test(key)));
}
