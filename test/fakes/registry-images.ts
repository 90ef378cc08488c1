import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Compression, layerMediaType } from '../../src/image/media-types.ts';
import type { Image, ImageConfig, Layer, Platform } from '../../src/image/model.ts';
import { digestOf } from '../../src/image/streams.ts';
import { type TarHeader, tarEnd, tarFill, tarHeader } from '../../src/image/tar/write.ts';

export type FakeMember = Omit<TarHeader, 'type'> & { type?: TarHeader['type']; text?: string | Uint8Array };

/** A tar of these members: what has `text` is a file, what ends in "/" a directory. */
export function tarOf(members: readonly FakeMember[]): Buffer {
  const parts = members.flatMap(({ text, ...member }) => {
    const content = Buffer.from(text ?? '');
    const type = member.type ?? (member.path.endsWith('/') ? 'directory' : 'file');
    const mode = member.mode ?? (type === 'directory' ? 0o755 : 0o644);
    const header = tarHeader({ ...member, type, mode, size: member.size ?? content.length });
    return [header, content, tarFill(content.length)];
  });
  return Buffer.concat([...parts, tarEnd()]);
}

export function layerOf(tar: Uint8Array, compression: Compression = 'gzip'): Layer & { readonly bytes: Buffer } {
  const bytes = pack(tar, compression);
  return {
    diffId: digestOf(tar),
    descriptor: { mediaType: layerMediaType(compression), digest: digestOf(bytes), size: bytes.length },
    bytes,
    open: async () => Readable.from([bytes], { objectMode: false }),
  };
}

export function imageOf(
  layers: readonly Layer[],
  config: ImageConfig['config'] = { Cmd: ['/bin/true'] },
  platform: Platform = { os: 'linux', architecture: 'amd64' },
): Image {
  const content: ImageConfig = {
    created: '2026-01-02T03:04:05Z',
    ...platform,
    config,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created: '2026-01-02T03:04:05Z', created_by: 'fake' })),
  };
  const configBytes = Buffer.from(JSON.stringify(content));
  return { imageHash: digestOf(configBytes), configBytes, config: content, layers };
}

/** A small image of one or more layers, each holding one file. */
export function smallImage(...texts: readonly string[]): Image {
  return imageOf(texts.map((text, index) => layerOf(tarOf([{ path: 'etc/' }, { path: `etc/file${index}`, text }]))));
}

function pack(tar: Uint8Array, compression: Compression): Buffer {
  if (compression === 'gzip') return gzipSync(tar);
  return compression === 'zstd' ? zstdCompressSync(tar) : Buffer.from(tar);
}
