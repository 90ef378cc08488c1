import type { ClusterApi } from '../api/port.ts';
import type { CollectionRecord, ContainerRequest } from '../api/records.ts';
import { isHallmarkError } from '../core/errors.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { findContent, findMade, wholeLocators } from './content.ts';
import { provenanceError } from './errors.ts';
import type { CollectionTarget, Expansion, Lead, ProvenanceServices } from './expansion.ts';
import type { CollectionNode, ImageNode } from './model.ts';
import { runOf, textProperty } from './recipe.ts';
import {
  isEmptyCollection,
  listAll,
  listCollections,
  listProducers,
  listRequestsOf,
  readCollection,
} from './records.ts';

/** A collection with more files than this, made by no container, is not taken apart. */
const maxFilesTakenApart = 100;

/**
 * A collection or image and what made it; where no container did, what other archives of the image or its files lead to. Fails
 * with `provenance/not-found`.
 */
export async function expandCollection({ api }: ProvenanceServices, target: CollectionTarget): Promise<Expansion> {
  const records = await listCollections(api, target.id);
  const makers = await findMakers(api, target, records);
  const image = records.find((record) => textProperty(record.properties, 'docker-image-hash') !== undefined);
  if (records.length === 0 && makers.length === 0 && target.run === undefined) {
    throw provenanceError('provenance/not-found', `the cluster has no collection ${target.id}`, {
      hint: 'check the portable data hash, and that the cluster is the one it was made on',
    });
  }
  const node = image ? toImageNode(target.id, image, records) : toCollectionNode(target.id, records[0]);
  if (makers.length > 0) return { node, leads: makers.map(madeBy) };
  return { node, leads: image ? await leadsToTwins(api, target, image) : await leadsToContents(api, target) };
}

const madeBy = (request: ContainerRequest): Lead => ({
  relation: 'madeBy',
  to: { kind: 'request', id: request.uuid, ...runOf(request) },
});

/** One request for each container that made this content, of the same run where there are any, or the requests that name one of the records as their output. */
async function findMakers(
  api: ClusterApi,
  target: CollectionTarget,
  records: readonly CollectionRecord[],
): Promise<ContainerRequest[]> {
  if (isEmptyCollection(target.id)) return [];
  const producers = await listProducers(api, target.id);
  const requests = producers.length === 0 ? [] : await listRequestsOf(api, ...producers.map(({ uuid }) => uuid));
  const sameRun = requests.filter((request) => target.run !== undefined && runOf(request).run === target.run);
  const makers = firstOfEach(sameRun.length > 0 ? sameRun : requests);
  if (makers.length > 0 || records.length === 0) return makers;
  const uuids = records.map(({ uuid }) => uuid);
  return listAll(api, 'container_requests', { filters: [['output_uuid', 'in', uuids]] });
}

/** One request for each container. */
function firstOfEach(requests: readonly ContainerRequest[]): ContainerRequest[] {
  const groups = Map.groupBy(requests, (request) => request.container_uuid);
  return [...groups.values()].flatMap((group) => group.slice(0, 1));
}

/** Another archive of the same image, which a request made: one image has as many hashes as it was archived. */
async function leadsToTwins(api: ClusterApi, target: CollectionTarget, image: CollectionRecord): Promise<Lead[]> {
  const hash = textProperty(image.properties, 'docker-image-hash');
  const twins = await listAll(api, 'collections', { filters: [['properties.docker-image-hash', '=', hash]] });
  const hashes = new Set(twins.map((twin) => twin.portable_data_hash));
  hashes.delete(target.id);
  const makers = await Promise.all([...hashes].map((id) => findMakers(api, { ...target, id }, [])));
  return makers.flat().map(madeBy);
}

/** Files of a collection that was put together from others: each that a container made is followed by its content. */
async function leadsToContents(api: ClusterApi, target: CollectionTarget): Promise<Lead[]> {
  const collection = await readCollection(api, target.id);
  if (!collection || collection.files.size > maxFilesTakenApart) return [];
  const leads: Lead[] = [];
  for (const file of collection.files.values()) {
    for (const id of await findElsewhere(api, wholeLocators(file) ?? [], target.id)) {
      leads.push({ relation: 'in', label: file.path, to: { kind: 'collection', id, ...runOfTarget(target) } });
    }
  }
  return leads;
}

const runOfTarget = ({ run }: CollectionTarget) => (run === undefined ? {} : { run });

async function findElsewhere(
  api: ClusterApi,
  locators: NonNullable<ReturnType<typeof wholeLocators>>,
  self: PortableDataHash,
): Promise<PortableDataHash[]> {
  try {
    const places = await findMade(api, await findContent(api, locators));
    return [...new Set(places.map((place) => place.portableDataHash))].filter((id) => id !== self);
  } catch (error) {
    // A real cluster does not filter by manifest_text.
    if (isHallmarkError(error, 'api/bad-filter')) return [];
    throw error;
  }
}

function toCollectionNode(id: PortableDataHash, record: CollectionRecord | undefined): CollectionNode {
  if (!record) return { kind: 'collection', id };
  const { uuid, name, created_at: createdAt } = record;
  return { kind: 'collection', id, uuid, createdAt, ...(name ? { name } : {}) };
}

function toImageNode(id: PortableDataHash, image: CollectionRecord, records: readonly CollectionRecord[]): ImageNode {
  const tags = records.map((record) => textProperty(record.properties, 'docker-image-repo-tag'));
  const imageHash = textProperty(image.properties, 'docker-image-hash');
  const registryDigest = textProperty(image.properties, 'docker-image-digest');
  const imageTimestamp = textProperty(image.properties, 'docker-image-timestamp');
  return {
    kind: 'image',
    id,
    uuid: image.uuid,
    names: [...new Set(tags.filter((tag) => tag !== undefined))],
    ...(imageHash === undefined ? {} : { imageHash }),
    ...(registryDigest === undefined ? {} : { registryDigest }),
    ...(imageTimestamp === undefined ? {} : { imageTimestamp }),
  };
}
