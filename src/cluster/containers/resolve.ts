import { apiError } from '../../api/errors.ts';
import type { ContainerRequest, ContainerWork, Mount, Mounts } from '../../api/records.ts';
import { builtinImage, hostImage } from '../../api/records.ts';
import { isPortableDataHash, isUuid, type PortableDataHash } from '../../core/ids.ts';
import { hasCollection } from '../collections.ts';
import { findImage } from '../images.ts';
import { findRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/** The work of a request with everything that can move pinned: names of images, and collections by uuid, to their content. */
export function resolveWork(store: Store, request: ContainerRequest): ContainerWork {
  return {
    command: request.command,
    container_image: resolveImage(store, request.container_image),
    cwd: request.cwd,
    environment: request.environment,
    mounts: resolveMounts(store, request.mounts),
    output_path: request.output_path,
    output_glob: request.output_glob,
    runtime_constraints: request.runtime_constraints,
    scheduling_parameters: request.scheduling_parameters,
  };
}

function resolveImage(store: Store, image: string): string {
  if (image === builtinImage || image === hostImage) return image;
  if (isPortableDataHash(image) && hasCollection(store, image)) return image;
  if (isUuid(image)) {
    const record = findRecord(store, 'collections', image);
    if (record) return record.portable_data_hash;
  }
  const newest = isPortableDataHash(image) ? undefined : findImage(store, image);
  if (newest !== undefined) return newest;
  throw apiError('api/bad-attribute', `container_requests: container_image ${JSON.stringify(image)} is not in Keep`, {
    hint: 'submit a builtin "docker pull" or "docker build" request for it first',
    where: { field: 'container_image' },
  });
}

function resolveMounts(store: Store, mounts: Mounts): Mounts {
  const entries = Object.entries(mounts).map(([target, mount]) => [target, resolveMount(store, target, mount)]);
  return Object.fromEntries(entries);
}

function resolveMount(store: Store, target: string, mount: Mount): Mount {
  if (mount.kind !== 'collection' || mount.uuid === undefined) return mount;
  const { uuid, ...rest } = mount;
  const content = findRecord(store, 'collections', uuid)?.portable_data_hash;
  if (content === undefined) throw badMount(target, `collection ${uuid} is not here`);
  const claimed: PortableDataHash | undefined = mount.portable_data_hash;
  if (claimed !== undefined && claimed !== content) {
    throw badMount(target, `collection ${uuid} has content ${content}, expected ${claimed}`);
  }
  return { ...rest, portable_data_hash: content };
}

const badMount = (target: string, message: string) =>
  apiError('api/bad-attribute', `container_requests: mounts[${JSON.stringify(target)}]: ${message}`, {
    where: { field: 'mounts' },
  });
