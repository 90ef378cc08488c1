import { resolve } from 'node:path';
import type { ClusterApi } from '../api/port.ts';
import { isHallmarkError } from '../core/errors.ts';
import { isPortableDataHash, isUuid, type PortableDataHash, type Uuid, uuidInfix } from '../core/ids.ts';
import { blockSizeBytes } from '../keep/locator.ts';
import { type ContentPlace, findAmongOutputs, findContent, findOrigins, hashHostFile } from './content.ts';
import { provenanceError } from './errors.ts';
import type { FileNode } from './model.ts';
import { readCollection } from './records.ts';

/** What was asked about, found in the cluster. */
export type Subject =
  | { readonly kind: 'request' | 'container'; readonly uuid: Uuid }
  | { readonly kind: 'collection'; readonly portableDataHash: PortableDataHash }
  | { readonly kind: 'file'; readonly node: FileNode; readonly places: readonly ContentPlace[] };

/**
 * A uuid (container request, container, collection), a portable data hash, `keep:<pdh>[/path]`, or else the path of a file
 * of this machine, which is found by its content.
 */
export async function resolveSubject(api: ClusterApi, text: string): Promise<Subject> {
  const [name = '', ...path] = text.replace(/^keep:/, '').split('/');
  if (isPortableDataHash(name)) {
    if (path.join('/') !== '') return resolveKeepFile(api, name, path.join('/'));
    return { kind: 'collection', portableDataHash: name };
  }
  if (isUuid(text)) return resolveUuid(api, text);
  return resolveHostFile(api, text);
}

async function resolveUuid(api: ClusterApi, uuid: Uuid): Promise<Subject> {
  const infix = uuid.slice(6, 11);
  if (infix === uuidInfix.container_request) return { kind: 'request', uuid };
  if (infix === uuidInfix.container) return { kind: 'container', uuid };
  if (infix === uuidInfix.collection) {
    return { kind: 'collection', portableDataHash: (await api.get('collections', uuid)).portable_data_hash };
  }
  throw provenanceError(
    'provenance/bad-subject',
    `expected a container request, container or collection, got ${uuid}`,
    {
      hint: `their uuids hold -${uuidInfix.container_request}-, -${uuidInfix.container}- or -${uuidInfix.collection}-`,
    },
  );
}

async function resolveHostFile(api: ClusterApi, path: string): Promise<Subject> {
  const locators = await hashHostFile(path);
  if (locators.length === 0) {
    throw provenanceError('provenance/not-found', `${path} is empty: it has no content to be found by`, {
      hint: 'give the uuid or portable data hash of the collection it lies in',
    });
  }
  const holding = await findContent(api, locators).catch((error: unknown) => {
    if (!isHallmarkError(error, 'api/bad-filter')) throw error;
    return findAmongOutputs(api, locators);
  });
  const places = await findOrigins(api, holding);
  if (places.length === 0) {
    throw provenanceError('provenance/not-found', `no collection holds a file with the content of ${path}`, {
      hint: 'it was changed since, or made elsewhere; give the uuid or portable data hash of its collection',
    });
  }
  const sizeBytes = locators.reduce((sum, locator) => sum + blockSizeBytes(locator), 0);
  return { kind: 'file', node: { kind: 'file', id: `file:${resolve(path)}`, path, sizeBytes, locators }, places };
}

async function resolveKeepFile(api: ClusterApi, portableDataHash: PortableDataHash, path: string): Promise<Subject> {
  const collection = await readCollection(api, portableDataHash);
  const file = collection?.files.get(path);
  if (!file) {
    throw provenanceError(
      'provenance/not-found',
      `collection ${portableDataHash} has no file ${JSON.stringify(path)}`,
      {
        hint: 'give the collection alone to see where all of it comes from',
      },
    );
  }
  const locators = file.segments.map(({ locator }) => locator);
  const id = `keep:${portableDataHash}/${path}`;
  const node: FileNode = { kind: 'file', id, path: id, sizeBytes: file.sizeBytes, locators };
  return { kind: 'file', node, places: [{ portableDataHash, path }] };
}
