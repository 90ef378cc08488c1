import { imageError } from '../../errors.ts';

/** By its name: packed with what Node cannot read. */
export const isForeignArchive = (path: string): boolean => /\.(tar\.|t)(bz2?|xz)$/.test(path);

export const foreignArchive = (path: string, packing: string) =>
  imageError('image/unsupported-instruction', `ADD of ${path}: archives packed with ${packing} are not supported`, {
    hint: 'use COPY, and unpack it in a RUN; or pack it with gzip or zstd',
  });
