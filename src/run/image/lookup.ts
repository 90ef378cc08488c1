import type { ClusterApi, Filter } from '../../api/port.ts';
import type { CollectionRecord, Link } from '../../api/records.ts';
import { type Digest, isDigest, type PortableDataHash, type Uuid } from '../../core/ids.ts';
import { parseManifest } from '../../keep/manifest.ts';
import { runError } from '../errors.ts';

/** An image collection that may be used: its content is the image that its properties name. */
export interface FoundImage {
  readonly portableDataHash: PortableDataHash;
  readonly imageHash: Digest;
  readonly collectionUuid: Uuid;
  /** Digest that the registry had when it was pulled. */
  readonly registryDigest?: Digest;
}

export interface ImageQuery {
  /** `repository:tag` as `docker-image-repo-tag` holds it. */
  readonly repoTag?: string;
  /** Whole image hash, or the registry digest of a reference by digest. */
  readonly digest?: Digest;
  /** The first hex digits of an image hash: at least 7. */
  readonly shortHash?: string;
}

interface Candidate {
  readonly record: CollectionRecord;
  readonly timestamp: string;
}

const wanted = ['uuid', 'portable_data_hash', 'manifest_text', 'properties', 'created_at'];
const archiveName = /^(sha256:)?([0-9a-f]{64})\.tar$/i;

/**
 * Newest trusted image collection for a name or a hash: by properties, then by the older links (design 4.1, 4.5). A short hash that
 * fits several images fails with `run/image-ambiguous`.
 */
export async function lookUpImage(
  api: ClusterApi,
  query: ImageQuery,
  warn: (message: string) => void,
): Promise<FoundImage | undefined> {
  const seen = new Set<Uuid>();
  for (const find of [candidatesByProperties, candidatesByLinks]) {
    const candidates = (await find(api, query)).filter(({ record }) => !seen.has(record.uuid));
    for (const { record } of candidates) seen.add(record.uuid);
    const found =
      query.shortHash === undefined ? firstTrusted(candidates, warn) : onlyImage(query.shortHash, candidates, warn);
    if (found) return found;
  }
  return undefined;
}

async function candidatesByProperties(api: ClusterApi, query: ImageQuery): Promise<Candidate[]> {
  const filters = propertyFilters(query);
  const pages = await Promise.all(
    filters.map((filter) =>
      api.list('collections', {
        filters: [filter],
        select: wanted,
        limit: 1000,
      }),
    ),
  );
  const candidates = pages.flatMap((page) => page.items).map((record) => ({ record, timestamp: timestampOf(record) }));
  return newestFirst(candidates);
}

function propertyFilters(query: ImageQuery): Filter[] {
  if (query.digest) {
    return [
      ['properties.docker-image-hash', '=', query.digest],
      ['properties.docker-image-digest', '=', query.digest],
    ];
  }
  if (query.shortHash) return [['properties.docker-image-hash', 'like', `sha256:${query.shortHash}%`]];
  return query.repoTag ? [['properties.docker-image-repo-tag', '=', query.repoTag]] : [];
}

/** Images stored by older clients carry links `docker_image_repo+tag` and `docker_image_hash` instead of properties. */
async function candidatesByLinks(api: ClusterApi, query: ImageQuery): Promise<Candidate[]> {
  const name = query.repoTag ?? query.digest?.slice('sha256:'.length) ?? query.shortHash;
  if (!name) return [];
  const linkClass = query.repoTag ? 'docker_image_repo+tag' : 'docker_image_hash';
  const links = await api.list('links', {
    filters: [
      ['link_class', '=', linkClass],
      query.shortHash ? ['name', 'like', `${name}%`] : ['name', 'in', [name, `sha256:${name}`]],
    ],
    limit: 1000,
  });
  const heads = links.items.flatMap(({ head_uuid }) => (head_uuid === null ? [] : [head_uuid]));
  if (heads.length === 0) return [];
  const page = await api.list('collections', { filters: [['uuid', 'in', heads]], select: wanted, limit: 1000 });
  const records = new Map<string, CollectionRecord>(page.items.map((record) => [record.uuid, record]));
  const candidates = links.items.map((link) => ({
    record: records.get(link.head_uuid ?? ''),
    timestamp: timeOf(link),
  }));
  return newestFirst(candidates.filter((candidate): candidate is Candidate => candidate.record !== undefined));
}

const timeOf = (link: Link): string => String(link.properties.image_timestamp ?? link.created_at);

function firstTrusted(candidates: readonly Candidate[], warn: (message: string) => void): FoundImage | undefined {
  for (const { record } of candidates) {
    const found = toTrusted(record, warn);
    if (found) return found;
  }
  return undefined;
}

/** An image collection is trusted only while its content is that image: one file, named as its hash says. */
function toTrusted(record: CollectionRecord, warn: (message: string) => void): FoundImage | undefined {
  const files = [...parseManifest(record.manifest_text).files.keys()];
  const hex = files.length === 1 ? archiveName.exec(files[0] ?? '')?.[2]?.toLowerCase() : undefined;
  const named = record.properties['docker-image-hash'];
  if (!hex || (typeof named === 'string' && named.replace(/^sha256:/, '') !== hex)) {
    const got = files.length === 1 ? files[0] : `${files.length} files`;
    warn(
      `collection ${record.uuid} says that it is image ${String(named ?? '(unnamed)')} but holds ${got}: passed over (was a copy of an image modified?)`,
    );
    return undefined;
  }
  const registryDigest = record.properties['docker-image-digest'];
  return {
    portableDataHash: record.portable_data_hash,
    imageHash: `sha256:${hex}` as Digest,
    collectionUuid: record.uuid,
    ...(typeof registryDigest === 'string' && isDigest(registryDigest) ? { registryDigest } : {}),
  };
}

function onlyImage(
  shortHash: string,
  candidates: readonly Candidate[],
  warn: (message: string) => void,
): FoundImage | undefined {
  const trusted = candidates.flatMap(({ record }) => toTrusted(record, warn) ?? []);
  const hashes = [...new Set(trusted.map(({ imageHash }) => imageHash))].sort();
  if (hashes.length < 2) return trusted[0];
  throw runError('run/image-ambiguous', `image hash ${shortHash} fits ${hashes.length} images: ${hashes.join(', ')}`, {
    hint: 'give more digits of the hash',
  });
}

function timestampOf(record: CollectionRecord): string {
  const timestamp = record.properties['docker-image-timestamp'];
  return typeof timestamp === 'string' ? timestamp : record.created_at;
}

function newestFirst(candidates: readonly Candidate[]): Candidate[] {
  const time = ({ timestamp }: Candidate) => Date.parse(timestamp) || 0;
  return [...candidates].sort((a, b) => time(b) - time(a) || (a.record.created_at < b.record.created_at ? 1 : -1));
}
