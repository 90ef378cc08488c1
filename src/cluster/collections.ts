import { apiError } from '../api/errors.ts';
import type { CollectionRecord } from '../api/records.ts';
import { toMessage } from '../core/errors.ts';
import type { Digest, PortableDataHash, Uuid } from '../core/ids.ts';
import { isJsonObject } from '../core/json.ts';
import type { Collection } from '../keep/collection.ts';
import { parseManifest, portableDataHash, stripManifest } from '../keep/manifest.ts';
import { type Attributes, checkAttributes } from './store/attributes.ts';
import { insertRecord, notTrashed, readRecord, readStored, updateRecord } from './store/records.ts';
import type { Store } from './store/store.ts';
import { addSeconds } from './store/time.ts';

/** Days that a trashed collection can still be brought back: Arvados' `Collections.DefaultTrashLifetime`. */
const trashLifetimeSeconds = 14 * 24 * 3600;

/** Content is given as `manifest_text`, or as the `portable_data_hash` of content that the cluster has. */
export function createCollection(store: Store, given: Attributes, select?: readonly string[]): CollectionRecord {
  const attributes = checkAttributes('collections', given);
  return store.write(() => {
    const content = saveContent(store, attributes);
    const made = insertRecord(store, 'collections', { ...attributes, portable_data_hash: content });
    const isAll = select === undefined || select.includes('manifest_text');
    return isAll ? readStored(store, 'collections', made.uuid) : made;
  });
}

export function updateCollection(store: Store, uuid: Uuid, given: Attributes): CollectionRecord {
  return store.write(() => {
    const current = readRecord(store, 'collections', uuid);
    const attributes = checkAttributes('collections', given, (name) => (current as unknown as Attributes)[name]);
    const moves = 'manifest_text' in attributes || 'portable_data_hash' in attributes;
    const content = moves ? saveContent(store, attributes) : current.portable_data_hash;
    updateRecord(store, 'collections', uuid, { ...attributes, portable_data_hash: content });
    return readStored(store, 'collections', uuid);
  });
}

/** To the trash, as Arvados does it: no longer found, its content gone for good two weeks later. */
export function trashCollection(store: Store, uuid: Uuid): void {
  store.write(() => {
    readRecord(store, 'collections', uuid);
    const now = store.now();
    updateRecord(store, 'collections', uuid, { trash_at: now, delete_at: addSeconds(now, trashLifetimeSeconds) });
  });
}

/** Forgets what has been in the trash for its time, and the contents that no record names any more. */
export function emptyTrash(store: Store): void {
  const due = store.db.get('SELECT 1 FROM collections WHERE delete_at <= ? LIMIT 1', store.now());
  if (due === undefined) return;
  store.write(() => {
    store.db.run('DELETE FROM collections WHERE delete_at <= ?', store.now());
    forgetContents(store);
  });
}

/** Forgets collections at once, and the contents that no other names: those of a cache, which nothing refers to. */
export function forgetCollections(store: Store, uuids: Iterable<string>): void {
  store.write(() => {
    for (const uuid of uuids) {
      store.db.run('DELETE FROM collections WHERE uuid = ?', uuid);
      store.changed('collections', uuid as Uuid);
    }
    forgetContents(store);
  });
}

function forgetContents(store: Store): void {
  store.db.run('DELETE FROM manifests WHERE portable_data_hash NOT IN (SELECT portable_data_hash FROM collections)');
  store.db.run('DELETE FROM manifest_blocks WHERE manifest_id NOT IN (SELECT id FROM manifests)');
}

/** Whether any collection but `except` holds the block of this md5. What is in the trash counts: it can be brought back. */
export function isBlockNamed(store: Store, md5: string, except: ReadonlySet<string>): boolean {
  let isNamed = false;
  store.db.each(collectionsOfBlock, [Buffer.from(md5, 'hex')], ({ uuid }) => {
    isNamed = !except.has(String(uuid));
    return !isNamed;
  });
  return isNamed;
}

const collectionsOfBlock = `
  SELECT c.uuid FROM manifest_blocks b JOIN manifests m ON m.id = b.manifest_id
  JOIN collections c ON c.portable_data_hash = m.portable_data_hash WHERE b.md5 = ?`;

/** Whether some collection with this content is there and not in the trash. */
export function hasCollection(store: Store, content: string): boolean {
  const sql = `SELECT 1 FROM collections WHERE portable_data_hash = ? AND ${notTrashed} LIMIT 1`;
  return store.db.get(sql, content, store.now()) !== undefined;
}

/** Whether the content itself is known, be its records in the trash or not. */
export function hasContent(store: Store, content: string): boolean {
  return store.db.get('SELECT 1 FROM manifests WHERE portable_data_hash = ?', content) !== undefined;
}

export function readManifest(store: Store, content: string): string | undefined {
  const row = store.db.get('SELECT manifest_text FROM manifests WHERE portable_data_hash = ?', content);
  return row && String(row.manifest_text);
}

function saveContent(store: Store, attributes: Attributes): PortableDataHash {
  const claimed = attributes.portable_data_hash;
  if (typeof attributes.manifest_text !== 'string') {
    if (typeof claimed !== 'string') return saveManifest(store, '');
    if (hasContent(store, claimed)) return claimed as PortableDataHash;
    throw badContent(`no content with portable_data_hash ${claimed} is here`, 'give its manifest_text');
  }
  const text = stripManifest(attributes.manifest_text);
  const computed = portableDataHash(text);
  if (claimed === undefined || claimed === computed) return saveManifest(store, text);
  throw badContent(
    `expected portable_data_hash ${computed}, which manifest_text has, got ${String(claimed)}`,
    'leave portable_data_hash out',
  );
}

const badContent = (message: string, hint: string) =>
  apiError('api/bad-attribute', `collections: ${message}`, { hint });

function saveManifest(store: Store, text: string): PortableDataHash {
  const content = portableDataHash(text);
  if (hasContent(store, content)) return content;
  const collection = parse(text);
  const insert = 'INSERT INTO manifests (portable_data_hash, manifest_text, image_hash) VALUES (?, ?, ?) RETURNING id';
  const id = Number(store.db.get(insert, content, text, imageHashOf(collection) ?? null)?.id);
  for (const md5 of blocksOf(collection)) {
    store.db.run('INSERT OR IGNORE INTO manifest_blocks (md5, manifest_id) VALUES (?, ?)', Buffer.from(md5, 'hex'), id);
  }
  return content;
}

function parse(text: string): Collection {
  try {
    return parseManifest(text);
  } catch (cause) {
    throw apiError('api/bad-attribute', `collections: manifest_text cannot be read: ${toMessage(cause)}`, { cause });
  }
}

function blocksOf(collection: Collection): Set<string> {
  const blocks = new Set<string>();
  for (const file of collection.files.values()) {
    for (const segment of file.segments) blocks.add(segment.locator.slice(0, 32));
  }
  return blocks;
}

const imageFilePattern = /^(?:sha256:)?([0-9a-f]{64})\.tar$/i;

/** Design 4.1: an image collection has exactly one file, named by the digest of the image's config. */
function imageHashOf(collection: Collection): Digest | undefined {
  if (collection.files.size !== 1) return undefined;
  const [name = ''] = collection.files.keys();
  const match = imageFilePattern.exec(name);
  return match ? (`sha256:${match[1]?.toLowerCase()}` as Digest) : undefined;
}

/** What `docker-image-hash` in the properties says, in full form. */
export function claimedImageHash(properties: unknown): string | undefined {
  const claimed = isJsonObject(properties) ? properties['docker-image-hash'] : undefined;
  if (typeof claimed !== 'string') return undefined;
  return claimed.startsWith('sha256:') ? claimed : `sha256:${claimed}`;
}
