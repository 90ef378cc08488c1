import type { Digest } from '../../core/ids.ts';

/**
 * Where converted images are kept for everybody: apptainer's SIF of an image, by the image's hash. Both methods may be called
 * concurrently, also from several processes, and never fail for want of the store: the image is converted again instead.
 */
export interface SifStore {
  /** Puts the SIF of that image at `path`, where nothing is, and nobody will write to. False, and nothing there, when it has none. */
  find(imageHash: Digest, path: string): Promise<boolean>;
  /** Keeps the file at `path`, which nobody will write to any more. The same bytes are there after. */
  save(imageHash: Digest, path: string): Promise<void>;
}
