import { formatBytes } from '../../core/units.ts';
import type { Image, Layer } from '../../image/model.ts';
import { transformed } from '../../image/streams.ts';
import type { BuiltinReport } from '../port.ts';

type OnBytes = (count: number) => void;

/** Tells in `runtime_status.activity` how much of an image's layers has come. */
export function createProgress(image: Image, verb: 'receiving' | 'storing', report: BuiltinReport): OnBytes {
  const sizes = new Map(image.layers.map(({ descriptor }) => [descriptor.digest, descriptor.size]));
  const total = sizes.values().reduce((sum, size) => sum + size, 0);
  let done = 0;
  return (count) => {
    done += count;
    report.activity(`${verb} image: ${formatBytes(Math.min(done, total))} of ${formatBytes(total)}`);
  };
}

/** The same image, its layers' bytes counted as they are read. */
export const counting = (image: Image, onBytes: OnBytes): Image => ({
  ...image,
  layers: image.layers.map(
    (layer): Layer => ({
      ...layer,
      open: async (signal) => transformed(await layer.open(signal), (source) => told(source, onBytes), signal),
    }),
  ),
});

async function* told(source: AsyncIterable<Uint8Array>, onBytes: OnBytes) {
  for await (const chunk of source) {
    onBytes(chunk.length);
    yield chunk;
  }
}
