import type { ClusterApi } from '../api/port.ts';
import { type Container, hostImage } from '../api/records.ts';
import { isPortableDataHash, type PortableDataHash } from '../core/ids.ts';
import type { ContainerTarget, Expansion, Lead, ProvenanceServices } from './expansion.ts';
import { inputsOf } from './records.ts';

/** A container, its image and what it read. Fails with `api/not-found`. */
export async function expandContainer({ api }: ProvenanceServices, target: ContainerTarget): Promise<Expansion> {
  const container = await api.get('containers', target.id);
  const run = target.run === undefined ? {} : { run: target.run };
  const leads: Lead[] = [];
  if (container.container_image === hostImage) leads.push({ relation: 'image', to: { kind: 'host', id: 'host' } });
  else if (isPortableDataHash(container.container_image)) {
    leads.push({ relation: 'image', to: { kind: 'collection', id: container.container_image, ...run } });
  }
  for (const [id, targets] of await withUuidMounts(api, container)) {
    for (const label of targets) leads.push({ relation: 'input', label, to: { kind: 'collection', id, ...run } });
  }
  return { node: { kind: 'container', id: container.uuid, ...stateOf(container) }, leads };
}

/** Inputs by content; a mount that names only a record stands for what that record holds now. */
async function withUuidMounts(
  api: ClusterApi,
  container: Container,
): Promise<ReadonlyMap<PortableDataHash, readonly string[]>> {
  const inputs = new Map(inputsOf(container));
  for (const [target, mount] of Object.entries(container.mounts)) {
    if (mount.kind !== 'collection' || mount.portable_data_hash || !mount.uuid) continue;
    const { portable_data_hash: id } = await api.get('collections', mount.uuid);
    inputs.set(id, [...(inputs.get(id) ?? []), target]);
  }
  return inputs;
}

/** What the record says of its state; shared with the requests that ran as it. */
export const stateOf = (container: Container) => ({
  state: container.state,
  exitCode: container.exit_code,
  startedAt: container.started_at,
  finishedAt: container.finished_at,
});
