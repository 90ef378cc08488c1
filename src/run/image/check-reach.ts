import { HallmarkError } from '../../core/errors.ts';
import type { Position } from '../../cwl/model.ts';
import { runError } from '../errors.ts';
import type { ImageServices } from './port.ts';

/** Fails with `run/bad-requirement`, which says where, if documents may not read what a field of a requirement names. */
export async function checkReach(
  services: Pick<ImageServices, 'checkReach'>,
  uri: string,
  { field, position }: { readonly field: string; readonly position: Position },
): Promise<void> {
  try {
    await services.checkReach(uri);
  } catch (cause) {
    if (!(cause instanceof HallmarkError)) throw cause;
    const hint = cause.hint === undefined ? {} : { hint: cause.hint };
    throw runError('run/bad-requirement', `${field}: ${cause.message}`, { ...hint, where: position, cause });
  }
}
