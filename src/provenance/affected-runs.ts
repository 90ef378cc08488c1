import type { ClusterApi } from '../api/port.ts';
import type { ContainerRequest } from '../api/records.ts';
import type { PortableDataHash, Uuid } from '../core/ids.ts';
import { isJsonObject, type JsonValue } from '../core/json.ts';
import { runOf, textProperty } from './recipe.ts';
import { listAll } from './records.ts';

/** A run of which some outputs are affected. */
export interface AffectedRun {
  readonly run: Uuid;
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** URI of the CWL document. */
  readonly document?: string;
  readonly outputs: readonly AffectedOutput[];
}

/** A file or directory of a run's output object. */
export interface AffectedOutput {
  /** Id of the output parameter. */
  readonly output: string;
  /** `keep:<portable data hash>/<path>` */
  readonly location: string;
}

/**
 * The runs that took the output of an affected container and whose output object names it, newest first. Equal content that
 * a run got from another container is not affected.
 *
 * @param requests those that the affected containers satisfied
 * @param outputs what each of the containers made
 */
export async function findAffectedRuns(
  api: ClusterApi,
  requests: readonly ContainerRequest[],
  outputs: ReadonlyMap<Uuid, PortableDataHash | null>,
): Promise<AffectedRun[]> {
  const contents = new Map<Uuid, Set<PortableDataHash>>();
  for (const request of requests) {
    const output = request.container_uuid && outputs.get(request.container_uuid);
    const { run } = runOf(request);
    if (output && run) contents.set(run, (contents.get(run) ?? new Set()).add(output));
  }
  if (contents.size === 0) return [];
  const runs = await listAll(api, 'container_requests', { filters: [['uuid', 'in', [...contents.keys()]]] });
  return runs
    .map((run) => toAffectedRun(run, contents.get(run.uuid) ?? new Set()))
    .filter((run) => run.outputs.length > 0)
    .reverse();
}

function toAffectedRun(request: ContainerRequest, contents: ReadonlySet<string>): AffectedRun {
  const { uuid: run, name, created_at: createdAt, properties } = request;
  const document = textProperty(properties, 'hm:document');
  const values = isJsonObject(properties.cwl_output) ? Object.entries(properties.cwl_output) : [];
  const outputs = values.flatMap(([output, value]) =>
    [...new Set(locationsIn(value))]
      .filter((location) => contents.has(location.replace(/^keep:/, '').split('/')[0] ?? ''))
      .map((location) => ({ output, location })),
  );
  return { run, name, createdAt, ...(document === undefined ? {} : { document }), outputs };
}

/** Of all Files and Directories of a value, those inside others too. */
function locationsIn(value: JsonValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(locationsIn);
  if (!isJsonObject(value)) return [];
  const own = typeof value.location === 'string' ? [value.location] : [];
  return [...own, ...Object.values(value).flatMap((part) => (typeof part === 'object' ? locationsIn(part) : []))];
}
