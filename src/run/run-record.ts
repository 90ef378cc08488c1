import type { ClusterApi } from '../api/port.ts';
import { builtinImage, type ContainerRequest } from '../api/records.ts';
import { isUuid, type Uuid } from '../core/ids.ts';
import type { JsonValue } from '../core/json.ts';
import { runError } from './errors.ts';

/** `interrupted`: its runner ended without saying how; the embedded cluster finds that out. */
export type RunStatus = 'running' | 'success' | 'failure' | 'interrupted';

/** One invocation of a workflow, as it is kept: enough to say what it was and to do it again. */
export interface RunRecord {
  readonly uuid: Uuid;
  readonly name: string;
  readonly createdAt: string;
  readonly status: RunStatus;
  /** Absolute URI of the document, with its fragment if one was given. */
  readonly document: string;
  /** The values as the user gave them: host files by their location. */
  readonly inputs: JsonValue;
  /** Arguments of the command line that change results. */
  readonly flags: Readonly<Record<string, JsonValue>>;
  readonly outputs?: JsonValue;
}

export interface NewRun {
  readonly name: string;
  readonly document: string;
  /** The document with all it refers to in one. */
  readonly packed: JsonValue;
  readonly inputs: JsonValue;
  /** The inputs with their files in Keep. */
  readonly storedInputs: JsonValue;
  readonly flags: Readonly<Record<string, JsonValue>>;
  /** Facts of the work tree of the document. */
  readonly gitFacts: Readonly<Record<string, string>>;
}

const workflowPath = '/var/lib/cwl/workflow.json';
const inputPath = '/var/lib/cwl/cwl.input.json';

/**
 * A run is kept as a container request that is never committed, laid out as arvados-cwl-runner lays out the request of its
 * own container: document and inputs as JSON mounts, values in `cwl_input` and `cwl_output`.
 */
export async function createRunRecord(api: ClusterApi, run: NewRun): Promise<Uuid> {
  const record = await api.create('container_requests', {
    name: run.name,
    state: 'Uncommitted',
    container_image: builtinImage,
    command: ['cwl-runner', '--local', workflowPath, inputPath],
    cwd: '/var/spool/cwl',
    output_path: '/var/spool/cwl',
    mounts: {
      [workflowPath]: { kind: 'json', content: run.packed },
      [inputPath]: { kind: 'json', content: run.storedInputs },
    },
    properties: {
      ...run.gitFacts,
      'hm:kind': 'run',
      'hm:status': 'running',
      'hm:document': run.document,
      'hm:inputs': run.inputs,
      'hm:flags': run.flags,
      cwl_input: run.storedInputs,
    },
  });
  return record.uuid;
}

/** Notes how the run ended. */
export async function finishRunRecord(
  api: ClusterApi,
  uuid: Uuid,
  status: RunStatus,
  outputs?: JsonValue,
): Promise<void> {
  const record = await api.get('container_requests', uuid);
  const properties = {
    ...record.properties,
    'hm:status': status,
    ...(outputs === undefined ? {} : { cwl_output: outputs }),
  };
  await api.update('container_requests', uuid, { properties });
}

/** The newest runs first. */
export async function listRuns(api: ClusterApi, limit: number): Promise<RunRecord[]> {
  const page = await api.list('container_requests', {
    filters: [['properties.hm:kind', '=', 'run']],
    order: ['created_at desc'],
    limit,
  });
  return page.items.map(toRunRecord);
}

/** By uuid, or `last`. Fails with `run/no-such-run`. */
export async function getRun(api: ClusterApi, name: string): Promise<RunRecord> {
  if (name === 'last') {
    const [newest] = await listRuns(api, 1);
    if (newest) return newest;
    throw runError('run/no-such-run', 'there is no run yet', { hint: 'cwl-runner DOCUMENT [INPUTS] makes one' });
  }
  if (isUuid(name)) {
    const record = await api.get('container_requests', name);
    if (record.properties['hm:kind'] === 'run') return toRunRecord(record);
  }
  throw runError('run/no-such-run', `expected the uuid of a run or "last", got ${JSON.stringify(name)}`, {
    hint: 'cwl-runner runs lists them',
  });
}

function toRunRecord(record: ContainerRequest): RunRecord {
  const { properties } = record;
  return {
    uuid: record.uuid,
    name: record.name,
    createdAt: record.created_at,
    status: properties['hm:status'] as RunStatus,
    document: String(properties['hm:document']),
    inputs: properties['hm:inputs'] ?? {},
    flags: (properties['hm:flags'] ?? {}) as Readonly<Record<string, JsonValue>>,
    ...(properties.cwl_output === undefined ? {} : { outputs: properties.cwl_output }),
  };
}

/** Requests of the steps of a run, by name, in the order they were submitted. */
export async function listStepRequests(api: ClusterApi, run: Uuid): Promise<readonly ContainerRequest[]> {
  const requests: ContainerRequest[] = [];
  for (;;) {
    const page = await api.list('container_requests', {
      filters: [['properties.hm:run', '=', run]],
      order: ['created_at', 'uuid'],
      limit: 1000,
      offset: requests.length,
    });
    requests.push(...page.items);
    if (page.items.length === 0 || requests.length >= page.itemsAvailable) return requests;
  }
}
