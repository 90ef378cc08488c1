import { ReadableStream } from 'node:stream/web';
import { toMessage } from '../../../core/errors.ts';
import { imageError } from '../../errors.ts';

/**
 * What xz packed, streams one after another too, each checked against its CRC. The decoder is WebAssembly, unpacks one stream at a
 * time, and takes no larger dictionary than `xz -9` makes. Fails with `image/unsupported-instruction` for what it does not know, and
 * with an `Error` for what is damaged.
 */
export async function* unxz(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // A CommonJS bundle: its exports are the default one, whatever its types say.
  const { default: xz } = (await import('xz-decompress')) as unknown as { default: typeof import('xz-decompress') };
  const reader = new xz.XzReadableStream(ReadableStream.from(packed) as never).getReader();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
  } catch (cause) {
    throw toUnpackError(cause);
  } finally {
    // Lets go of source and decoder; one that has just come to its end cannot be cancelled.
    await reader.cancel().catch(() => {});
  }
}

function toUnpackError(cause: unknown): Error {
  // XZ_MEMLIMIT_ERROR and XZ_OPTIONS_ERROR of xz-embedded's `xz.h`.
  if (!/error code [46]$/.test(toMessage(cause))) return new Error('the xz stream is damaged or cut off', { cause });
  return imageError(
    'image/unsupported-instruction',
    'the archive is packed by xz with settings that are not supported',
    {
      hint: 'pack it again with plain xz, gzip or zstd; or use COPY, and unpack it in a RUN',
      cause,
    },
  );
}
