import { apiError } from '../api/errors.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { isPortableDataHash } from '../core/ids.ts';
import { claimedImageHash } from './collections.ts';
import type { Row } from './store/database.ts';
import { notTrashed } from './store/records.ts';
import type { Store } from './store/store.ts';

const tagExpression = `json_extract(properties, '$."docker-image-repo-tag"')`;

/**
 * Contents that are the image `name`, newest image first: a name with its tag, a whole or short hash, or the content itself.
 * A name without a tag is every tag. Collections whose content is not the image that
 * their properties claim are passed over (design 4.5).
 */
export function findImages(store: Store, name: string): PortableDataHash[] {
  if (isPortableDataHash(name)) return archivesOfSameImage(store, name);
  const named = hasTag(name) ? byTag(store, name) : byRepository(store, name);
  return named.length > 0 ? named : byHash(store, name);
}

/**
 * The one image that `name` is for a container: without a tag it is `latest`. Fails with `api/bad-attribute` when a short
 * hash fits several images.
 */
export function findImage(store: Store, name: string): PortableDataHash | undefined {
  const named = byTag(store, hasTag(name) ? name : `${name}:latest`);
  if (named.length > 0) return named[0];
  const hashed = byHash(store, name);
  const images = new Set(hashed.map((content) => imageHashOf(store, content)));
  if (images.size <= 1) return hashed[0];
  throw apiError('api/bad-attribute', `the image hash ${name} fits ${images.size} images: ${[...images].join(', ')}`, {
    hint: 'give more of its digits',
    where: { field: 'container_image' },
  });
}

const imageHashOf = (store: Store, content: string) =>
  store.db.get('SELECT image_hash FROM manifests WHERE portable_data_hash = ?', content)?.image_hash;

/** A colon after the last slash begins a tag; one before it, a port. */
const hasTag = (name: string) => name.lastIndexOf(':') > name.lastIndexOf('/') && !name.startsWith('sha256:');

function byTag(store: Store, name: string): PortableDataHash[] {
  const fromProperties = trusted(
    store.db.all(`${collectionImages} WHERE ${tagExpression} = ? AND ${notTrashed}`, name, store.now()),
  );
  return fromProperties.length > 0 ? fromProperties : byLinks(store, 'docker_image_repo+tag', name);
}

function byRepository(store: Store, name: string): PortableDataHash[] {
  // ';' follows ':', so this is the range of every tag of that name and uses the index.
  const sql = `${collectionImages} WHERE ${tagExpression} >= ? AND ${tagExpression} < ? AND ${notTrashed}`;
  return trusted(store.db.all(sql, `${name}:`, `${name};`, store.now()));
}

function byHash(store: Store, name: string): PortableDataHash[] {
  const hex = name.replace(/^sha256:/, '').toLowerCase();
  if (!/^[0-9a-f]{6,64}$/.test(hex)) return [];
  const sql = `${collectionImages} WHERE image_hash >= ? AND image_hash < ? AND ${notTrashed}`;
  const found = trusted(store.db.all(sql, `sha256:${hex}`, `sha256:${hex}g`, store.now()));
  return found.length > 0 ? found : byLinks(store, 'docker_image_hash', hex);
}

const collectionImages = `
  SELECT collections.portable_data_hash AS content, properties, image_hash FROM collections
  JOIN manifests ON manifests.portable_data_hash = collections.portable_data_hash`;

/** How images were named before properties did it; the head is the collection's uuid. */
function byLinks(store: Store, linkClass: string, name: string): PortableDataHash[] {
  const sql = `
    SELECT collections.portable_data_hash AS content, links.properties AS properties, image_hash FROM links
    JOIN collections ON collections.uuid = links.head_uuid
    JOIN manifests ON manifests.portable_data_hash = collections.portable_data_hash
    WHERE links.link_class = ? AND links.name = ? AND ${notTrashed}`;
  return trusted(store.db.all(sql, linkClass, name, store.now()));
}

function trusted(rows: readonly Row[]): PortableDataHash[] {
  const images = rows.flatMap((row) => {
    const properties: unknown = JSON.parse(String(row.properties));
    const claimed = claimedImageHash(properties);
    if (row.image_hash === null || (claimed !== undefined && claimed !== row.image_hash)) return [];
    return [{ content: row.content as PortableDataHash, timestamp: timestampOf(properties) }];
  });
  images.sort((a, b) => (a.timestamp < b.timestamp ? 1 : a.timestamp > b.timestamp ? -1 : 0));
  return [...new Set(images.map((image) => image.content))];
}

function timestampOf(properties: unknown): string {
  const values = properties as Record<string, unknown>;
  return String(values['docker-image-timestamp'] ?? values.image_timestamp ?? '');
}

/** This content and every other archive of the same image. */
export function archivesOfSameImage(store: Store, content: string): PortableDataHash[] {
  const sql = `
    SELECT portable_data_hash AS content FROM manifests
    WHERE image_hash = (SELECT image_hash FROM manifests WHERE portable_data_hash = ?)`;
  const archives = store.db.all(sql, content).map((row) => row.content as PortableDataHash);
  return archives.length > 0 ? archives : [content as PortableDataHash];
}
