import type { JsonValue } from '../../core/json.ts';
import { mayReferTo } from '../document.ts';
import { field, type Node, stringOf } from '../syntax/node.ts';
import { resolvePath, resolveUri } from '../syntax/uri.ts';
import type { BuildContext } from './context.ts';
import { toValue } from './value.ts';

/** A value that a document holds: a default, or a field of a requirement. One from elsewhere names no file of this machine. */
export function readValue(node: Node, context: BuildContext): JsonValue {
  refuseLocalFiles(node, context);
  return toValue(node);
}

/** Files and Directories in `node` that the document may not name become problems. */
export function refuseLocalFiles(node: Node, context: BuildContext): void {
  if (node.kind === 'list') for (const item of node.items) refuseLocalFiles(item, context);
  if (node.kind !== 'map') return;
  const kind = stringOf(field(node, 'class'));
  if (kind === 'File' || kind === 'Directory') {
    refuseReference(field(node, 'location'), resolveUri, context);
    refuseReference(field(node, 'path'), resolvePath, context);
  }
  for (const { value } of node.entries.values()) refuseLocalFiles(value, context);
}

type Resolve = (base: string, reference: string) => string;

export function refuseReference(node: Node | undefined, resolve: Resolve, { problems }: BuildContext): void {
  const reference = stringOf(node);
  if (node === undefined || reference === undefined) return;
  const { uri } = node.source;
  if (mayReferTo(uri, resolve(uri, reference))) return;
  const message = `expected a file beside ${uri}, or a public URL, got the local file ${JSON.stringify(reference)}`;
  problems.error('bad-value', node, message, 'download the document, or leave the value to the inputs');
}
