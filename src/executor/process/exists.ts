import { stat } from 'node:fs/promises';
import type { Claim } from '../../core/claim.ts';

/** The claim of who shares his folders with nobody that clears them. */
export const exists: Claim = (path) =>
  stat(path).then(
    () => true,
    () => false,
  );
