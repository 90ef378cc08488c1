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

const archiveName = /^(sha256:)?([0-9a-f]{64})\.tar$/i;

/** Newest trusted image collection for a name or a hash: by properties, then by the older links (design 4.1, 4.5). */
export async function lookUpImage(
  api: ClusterApi,
  query: ImageQuery,
  warn: (message: string) => void,
): Promise<FoundImage | undefined> {
  const byProperties = await candidatesByProperties(api, query);
  if (query.shortHash) refuseAmbiguous(query.shortHash, byProperties);
  const found = firstTrusted(byProperties, warn);
  return found ?? firstTrusted(await candidatesByLinks(api, query), warn);
}

async function candidatesByProperties(api: ClusterApi, query: ImageQuery): Promise<Candidate[]> {
  const filters = propertyFilters(query);
  const pages = await Promise.all(
    filters.map((filter) =>
      api.list('collections', {
        filters: [filter],
        select: ['uuid', 'portable_data_hash', 'manifest_text', 'properties', 'created_at'],
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
  const candidates: Candidate[] = [];
  for (const link of links.items) {
    const record = await collectionOfLink(api, link);
    if (record) candidates.push({ record, timestamp: String(link.properties.image_timestamp ?? link.created_at) });
  }
  return newestFirst(candidates);
}

async function collectionOfLink(api: ClusterApi, link: Link): Promise<CollectionRecord | undefined> {
  const page = await api.list('collections', {
    filters: [['uuid', '=', link.head_uuid]],
    select: ['uuid', 'portable_data_hash', 'manifest_text', 'properties', 'created_at'],
    limit: 1,
  });
  return page.items[0];
}

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

function refuseAmbiguous(shortHash: string, candidates: readonly Candidate[]): void {
  const hashes = [...new Set(candidates.map(({ record }) => String(record.properties['docker-image-hash'])))];
  if (hashes.length < 2) return;
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
