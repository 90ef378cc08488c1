import type { Mount, Mounts } from '../api/records.ts';
import { isUuid } from '../core/ids.ts';
import type { JobMount, ToolJob } from '../job/model.ts';
import { parseLocation } from '../job/staging/collection-draft.ts';

/** The mounts of a job, with its scratch space and its streams: field for field those of arvados-cwl-runner. */
export function toMounts(job: ToolJob): Mounts {
  const { paths, resources, stdin, stdout, stderr } = job;
  const mounts: Record<string, Mount> = {
    [paths.outdir]: { kind: 'tmp', capacity: Math.max(1, resources.outdirBytes) },
    [paths.tmpdir]: { kind: 'tmp', capacity: Math.max(1, resources.tmpdirBytes) },
  };
  for (const mount of job.mounts) {
    if (mount.kind === 'keep') mounts[mount.target] = toCollectionMount(mount);
    else if (!mount.secret) mounts[mount.target] = { kind: 'text', content: mount.content };
  }
  if (stdin !== undefined) mounts.stdin = toCollection(stdin);
  if (stderr !== undefined) mounts.stderr = { kind: 'file', path: `${paths.outdir}/${stderr}` };
  if (stdout !== undefined) mounts.stdout = { kind: 'file', path: `${paths.outdir}/${stdout}` };
  return mounts;
}

export function toSecretMounts(job: ToolJob): Mounts {
  const secrets = job.mounts.flatMap((mount) =>
    mount.kind === 'text' && mount.secret ? [[mount.target, { kind: 'text', content: mount.content }] as const] : [],
  );
  return Object.fromEntries(secrets);
}

function toCollectionMount(mount: Extract<JobMount, { kind: 'keep' }>): Mount {
  const { collectionUuid: uuid } = mount;
  return {
    ...toCollection(mount.location),
    ...(uuid !== undefined && isUuid(uuid) && { uuid }),
    ...(mount.writable && { writable: true }),
  };
}

function toCollection(location: string): Extract<Mount, { kind: 'collection' }> {
  const { portableDataHash, path } = parseLocation(location);
  return { kind: 'collection', portable_data_hash: portableDataHash, ...(path !== '' && { path }) };
}
