import { crunchError } from '../errors.ts';
import type { TreeCache } from '../port.ts';
import type { Place } from './places.ts';

/**
 * Fails with `crunch/input-changed` where the command changed a collection that it was to read only: what it made of it is not what its
 * record says, and others may have read it, too.
 */
export async function checkInputs(place: Place, trees: TreeCache, sinceMs: number): Promise<void> {
  for (const { target, origin } of place.origins.below('/')) {
    if (origin.kind !== 'collection') continue;
    const changes = await trees.setChangesAside(origin.collection, origin.path, sinceMs);
    if (changes.length === 0) continue;
    const names = changes.slice(0, 5).map((path) => JSON.stringify(path));
    const message = `expected the input at ${target} to stay as it is, got changes in ${names.join(', ')}`;
    throw crunchError(
      'crunch/input-changed',
      message + (changes.length > names.length ? ` and ${changes.length - names.length} more` : ''),
      {
        hint: 'copy the input first, or list it in InitialWorkDirRequirement with writable: true; steps that ran beside this one may have read the change',
        where: { field: 'mounts' },
      },
    );
  }
}
