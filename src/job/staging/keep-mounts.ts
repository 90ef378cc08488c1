import { isUuid } from '../../core/ids.ts';
import { arvadosPrefix } from '../../cwl/schema/requirement.ts';
import { type CwlObject, isFile } from '../../cwl/values.ts';
import { formatKeepLocation, parseKeepLocation } from '../../keep/location.ts';
import { type FileObject, fileObjects } from '../file-objects.ts';
import type { JobMount } from '../model.ts';

/**
 * The read-only mounts through which inputs are seen: each file's directory, each directory, at `keepRoot`/PDH/…, none inside
 * another that comes just before it. The choice and the order are arvados-cwl-runner's, so that containers can be shared.
 */
export function mountInputs(inputs: CwlObject, moved: ReadonlyMap<string, string>, keepRoot: string): JobMount[] {
  const references = [...new Map(referenced(inputs, moved)).entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const mounts = new Map<string, JobMount>();
  let previous: string | undefined;
  for (const [location, object] of references) {
    const { portableDataHash, path } = parseKeepLocation(location);
    const target = toTarget(keepRoot, portableDataHash, path);
    if (previous !== undefined && target.startsWith(previous)) continue;
    const directory = isFile(object) ? path.slice(0, Math.max(path.lastIndexOf('/'), 0)) : path;
    const directoryTarget = toTarget(keepRoot, portableDataHash, directory);
    mounts.set(directoryTarget, {
      kind: 'keep',
      location: formatKeepLocation(portableDataHash, directory),
      target: directoryTarget,
      writable: false,
      ...collectionUuid(object),
    });
    previous = `${directoryTarget}/`;
  }
  return [...mounts.values()];
}

const toTarget = (root: string, hash: string, path: string): string =>
  path === '' ? `${root}/${hash}` : `${root}/${hash}/${path}`;

function collectionUuid(object: FileObject): { readonly collectionUuid?: string } {
  const uuid = object[`${arvadosPrefix}collectionUUID`] ?? object['arv:collectionUUID'];
  return typeof uuid === 'string' && isUuid(uuid) ? { collectionUuid: uuid } : {};
}

function* referenced(value: unknown, moved: ReadonlyMap<string, string>): Generator<readonly [string, FileObject]> {
  for (const object of fileObjects(value)) {
    if (object.location !== undefined && !moved.has(object.location)) yield [object.location, object];
    if (isFile(object)) yield* referenced(object.secondaryFiles ?? [], moved);
  }
}
