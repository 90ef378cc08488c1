import type { ClusterApi } from '../../src/api/port.ts';
import type { Container, ContainerRequest, RuntimeStatus } from '../../src/api/records.ts';
import type { PortableDataHash, Uuid } from '../../src/core/ids.ts';

/** A committed request that runs on the host and needs nothing. */
export const hostRequest = (more: Partial<ContainerRequest> = {}): Partial<ContainerRequest> => ({
  name: 'step',
  container_image: 'hallmark/host',
  command: ['true'],
  mounts: { '/out': { kind: 'tmp', capacity: 1024 } },
  output_path: '/out',
  runtime_constraints: { ram: 1 << 20, vcpus: 1 },
  state: 'Committed',
  priority: 500,
  ...more,
});

/** A collection of one small file. Its name stands for its bytes. */
export async function saveFile(api: ClusterApi, name = 'out.txt'): Promise<PortableDataHash> {
  const manifest_text = `. acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:${name}\n`;
  return (await api.create('collections', { manifest_text })).portable_data_hash;
}

/** An image collection as design 4.1 has it. `archive` tells two archives of one image apart. */
export async function saveImage(
  api: ClusterApi,
  tag: string,
  hex: string,
  archive = 0,
  timestamp = '2026-01-01T00:00:00Z',
) {
  const manifest_text = `. ${archive.toString(16).padStart(32, '0')}+3 0:3:sha256:${hex.repeat(64)}.tar\n`;
  const properties = {
    'docker-image-repo-tag': tag,
    'docker-image-hash': `sha256:${hex.repeat(64)}`,
    'docker-image-timestamp': timestamp,
  };
  return api.create('collections', { manifest_text, properties });
}

export const lock = (api: ClusterApi, uuid: Uuid) => api.update('containers', uuid, { state: 'Locked' });
export const start = (api: ClusterApi, uuid: Uuid) => api.update('containers', uuid, { state: 'Running' });

export async function complete(api: ClusterApi, uuid: Uuid, exit_code = 0): Promise<Container> {
  const output = await saveFile(api);
  const log = await saveFile(api, 'stderr.txt');
  return api.update('containers', uuid, { state: 'Complete', exit_code, output, log });
}

export const fail = (api: ClusterApi, uuid: Uuid, runtime_status: RuntimeStatus) =>
  api.update('containers', uuid, { state: 'Cancelled', runtime_status });

/** The whole life of a queued container that this session locks. */
export async function runThrough(api: ClusterApi, uuid: Uuid, exit_code = 0): Promise<Container> {
  await lock(api, uuid);
  await start(api, uuid);
  return complete(api, uuid, exit_code);
}

export function containerOf(request: ContainerRequest): Uuid {
  if (request.container_uuid === null) throw new Error(`request ${request.uuid} has no container`);
  return request.container_uuid;
}
