import type { Filter } from '../../api/port.ts';
import { archivesOfSameImage, findImages } from '../images.ts';
import type { Store } from '../store/store.ts';
import { badFilter } from './bad-filter.ts';
import { membership } from './compare.ts';
import type { Sql } from './sql.ts';

/**
 * `in docker` and `not in docker` on `container_image` (Arvados #2879): names, hashes or contents, one or an array. A name
 * without a tag stands for all its tags; every archive of an image counts.
 */
export function imageCondition(store: Store, name: string, filter: Filter): Sql {
  const names = [filter[2]].flat();
  if (name !== 'container_image' || !names.every((item) => typeof item === 'string')) {
    const message = 'expected ["container_image", "in docker" or "not in docker", image name, hash or array of them]';
    throw badFilter(filter, message);
  }
  const contents = new Set<string>(names);
  for (const image of names.flatMap((item) => findImages(store, item))) {
    for (const archive of archivesOfSameImage(store, image)) contents.add(archive);
  }
  return membership(name, filter[1] === 'in docker' ? 'in' : 'not in', [...contents]);
}
