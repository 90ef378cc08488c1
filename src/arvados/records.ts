import { randomUUID } from 'node:crypto';
import { apiError } from '../api/errors.ts';
import type { AnswerOptions, ClusterApi } from '../api/port.ts';
import type { Container, ContainerRequest, Records, Resource } from '../api/records.ts';
import { isHallmarkError } from '../core/errors.ts';
import type { Uuid } from '../core/ids.ts';
import type { Caller } from './caller.ts';
import type { Capabilities } from './capabilities.ts';
import { type ChangeFeed, createChangeFeed } from './change-feed.ts';
import { listRecords } from './list.ts';
import { type Retry, withRetries } from './retry.ts';
import { toAttributes, toRecord } from './wire.ts';

export interface RecordsOptions {
  readonly caller: Caller;
  readonly capabilities: Capabilities;
  readonly retry: Retry;
  /** Puts the signatures into a manifest that the cluster wants. */
  readonly sign: (manifestText: string) => string;
  readonly pollMs?: { readonly least: number; readonly most: number };
  /** Owner of the requests and collections that are created; the user of the token unless said. */
  readonly project?: Uuid;
}

/** The records of a cluster behind the port. */
export function createRecordClient(options: RecordsOptions): ClusterApi & Pick<ChangeFeed, 'close'> {
  const { caller, retry } = options;
  const list: ClusterApi['list'] = (resource, query) => listRecords(caller, resource, query);
  const feed = createChangeFeed({ list, logger: retry.logger, ...(options.pollMs && { delaysMs: options.pollMs }) });
  const written = <R extends Resource>(resource: R, answer: unknown, select?: readonly string[]): Records[R] => {
    const record = toRecord(resource, answer, select);
    feed.saw(resource, record);
    feed.changed(resource, record.uuid);
    return record;
  };
  return {
    list,
    watch: feed.watch,
    close: feed.close,
    async get(resource, uuid) {
      const record = toRecord(resource, await caller.call({ method: 'GET', path: toPath(resource, uuid) }));
      feed.saw(resource, record);
      return record;
    },
    async create(resource, attributes, wanted) {
      const select = toSelect(resource, wanted);
      const signed = signManifest(attributes, options.sign);
      return written(resource, await create(options, { resource, attributes: signed, ...select }), select.select);
    },
    async update(resource, uuid, attributes, wanted) {
      const select = toSelect(resource, wanted);
      const signed = signManifest(attributes, options.sign);
      return written(resource, await update(options, { resource, uuid, attributes: signed, ...select }), select.select);
    },
    async remove(resource, uuid) {
      await remove(options, resource, uuid);
      feed.changed(resource, uuid);
    },
  };
}

const toPath = (resource: Resource, uuid: Uuid, action?: string): string =>
  [resource, encodeURIComponent(uuid), ...(action === undefined ? [] : [action])].join('/');

/** `container_requests` → `container_request`: how the record is called in a body. */
const singular = (resource: Resource): string => resource.slice(0, -1);

function signManifest<T extends object>(attributes: T, sign: RecordsOptions['sign']): T {
  const { manifest_text } = attributes as { readonly manifest_text?: string };
  return manifest_text ? { ...attributes, manifest_text: sign(manifest_text) } : attributes;
}

/** With what the feed looks at. */
function toSelect(resource: Resource, { select }: AnswerOptions = {}): { readonly select?: readonly string[] } {
  if (select === undefined) return {};
  const watched = {
    container_requests: ['state', 'container_uuid'],
    containers: ['state'],
    ...{ collections: [], links: [], logs: [], workflows: [] },
  };
  return { select: [...new Set([...select, 'uuid', 'modified_at', ...watched[resource]])] };
}

interface Change<R extends Resource> {
  readonly resource: R;
  readonly attributes: Partial<Records[R]>;
  /** Attributes of the answer. */
  readonly select?: readonly string[];
}

/** What lies in projects. */
const owned: readonly Resource[] = ['collections', 'container_requests'];

/** Names this submission of a request: an answer that got lost leaves it findable. */
const submissionProperty = 'hm:submission';

/**
 * A record too many is harmless, but for a request, which would run twice: before it is sent again, it is looked for. Names of
 * collections are made unique by the cluster, since ours may repeat.
 */
async function create<R extends Resource>(
  { caller, capabilities, retry, project }: RecordsOptions,
  { resource, attributes, select }: Change<R>,
): Promise<unknown> {
  const isRequest = resource === 'container_requests';
  const submission = randomUUID();
  const record = toAttributes(resource, isRequest ? named(attributes, submission) : attributes, capabilities);
  const unique = resource === 'collections' ? { ensure_unique_name: true } : {};
  const owner = project && owned.includes(resource) ? { owner_uuid: project } : {};
  const body = { [singular(resource)]: { ...owner, ...record }, ...unique, ...(select && { select }) };
  checkSize(resource, body, capabilities);
  return withRetries(retry, async (before) => {
    const earlier = before > 0 && isRequest ? await findSubmitted(caller, submission) : undefined;
    return earlier ?? caller.callOnce({ method: 'POST', path: resource, body });
  });
}

function named<R extends Resource>(attributes: Partial<Records[R]>, submission: string): Partial<Records[R]> {
  const { properties } = attributes as Partial<ContainerRequest>;
  return { ...attributes, properties: { ...properties, [submissionProperty]: submission } };
}

async function findSubmitted(caller: Caller, submission: string): Promise<ContainerRequest | undefined> {
  const { items } = await listRecords(caller, 'container_requests', {
    filters: [[`properties.${submissionProperty}`, '=', submission]],
    limit: 1,
    count: 'none',
  });
  return items[0];
}

function checkSize(resource: Resource, body: object, { maxRequestBytes }: Capabilities): void {
  // A character is at most three bytes in UTF-8: only what comes near is measured.
  const text = JSON.stringify(body);
  if (text.length * 3 <= maxRequestBytes) return;
  const size = Buffer.byteLength(text);
  if (size <= maxRequestBytes) return;
  throw apiError('api/bad-attribute', `${resource}: expected at most ${maxRequestBytes} bytes a request, got ${size}`, {
    hint: 'the collection has too many files for the cluster: put them into archives, or into several collections',
  });
}

async function update<R extends Resource>(
  { caller, capabilities, retry }: RecordsOptions,
  { resource, uuid, attributes, select }: Change<R> & { readonly uuid: Uuid },
): Promise<unknown> {
  const action = resource === 'containers' ? toAction(attributes as Partial<Container>) : undefined;
  // Nobody could tell whose lock it is that a second attempt finds.
  if (action !== undefined) return caller.callOnce({ method: 'POST', path: toPath(resource, uuid, action) });
  const body = { [singular(resource)]: toAttributes(resource, attributes, capabilities), ...(select && { select }) };
  checkSize(resource, body, capabilities);
  return withRetries(retry, async (before) => {
    try {
      return await caller.callOnce({ method: 'PUT', path: toPath(resource, uuid), body });
    } catch (error) {
      if (before === 0 || !isHallmarkError(error, 'api/forbidden-change')) throw error;
      return alreadyIn(caller, resource, uuid, attributes, error);
    }
  });
}

function toAction({ state, ...more }: Partial<Container>): string | undefined {
  if (Object.keys(more).length > 0) return undefined;
  return state === 'Locked' ? 'lock' : state === 'Queued' ? 'unlock' : undefined;
}

/** A change of state whose answer got lost is refused the second time. */
async function alreadyIn<R extends Resource>(
  caller: Caller,
  resource: R,
  uuid: Uuid,
  attributes: Partial<Records[R]>,
  refusal: unknown,
): Promise<unknown> {
  const { state } = attributes as Partial<Container>;
  const record = toRecord(resource, await caller.call({ method: 'GET', path: toPath(resource, uuid) }));
  if (state !== undefined && (record as unknown as Container).state === state) return record;
  throw refusal;
}

async function remove({ caller, retry }: RecordsOptions, resource: Resource, uuid: Uuid): Promise<void> {
  await withRetries(retry, async (before) => {
    try {
      await caller.callOnce({ method: 'DELETE', path: toPath(resource, uuid) });
    } catch (error) {
      if (before === 0 || !isHallmarkError(error, 'api/not-found')) throw error;
    }
  });
}
