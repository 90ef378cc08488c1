import { type Digest, toDigest } from '../../core/ids.ts';
import type { Collection, CollectionFile } from '../../keep/collection.ts';
import { crunchError } from '../errors.ts';

/** What Arvados' crunch-run takes, older names without `sha256:` too. */
const imageFilePattern = /^(?:sha256:)?([0-9A-Fa-f]{64})\.tar$/;

export interface ImageFile {
  readonly file: CollectionFile;
  /** What the name says; the content has to agree. */
  readonly imageHash: Digest;
}

/** The one file of an image collection (design 4.1). Fails with `crunch/bad-image`. */
export function findImageFile(collection: Collection): ImageFile {
  const files = [...collection.files.values()];
  const [file, second] = files;
  const hex = imageFilePattern.exec(file?.path ?? '')?.[1];
  if (file && !second && hex) return { file, imageHash: toDigest(`sha256:${hex.toLowerCase()}`) };
  const names = files.slice(0, 3).map((one) => JSON.stringify(one.path));
  const got = files.length === 0 ? 'no file' : `${files.length} file(s): ${names.join(', ')}`;
  throw crunchError(
    'crunch/bad-image',
    `collection ${collection.portableDataHash} is no image: expected one file "sha256:<64 hex digits>.tar", got ${got}`,
    { hint: 'store the image with a docker pull or docker build request, or with arv-keepdocker' },
  );
}
