import type { JsonValue } from '../../core/json.ts';
import { field, type Node, stringOf, toJson } from '../syntax/node.ts';
import { expandPrefix, resolvePath, resolveUri } from '../syntax/uri.ts';

/**
 * A value of the input object or a default as JSON, in which each File and Directory has an absolute `location` instead of a
 * `path`, and a full `format`. Relative references are relative to the document they stand in.
 */
export function toValue(node: Node): JsonValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toValue);
  const kind = stringOf(field(node, 'class'));
  const isFile = kind === 'File' || kind === 'Directory';
  const result: Record<string, JsonValue> = {};
  for (const [key, { value }] of node.entries) {
    const text = isFile ? stringOf(value) : undefined;
    if (text === undefined || !isReference(key))
      result[key] = isFile && key === 'metadata' ? toJson(value) : toValue(value);
    else if (key === 'format') result[key] = expandPrefix(text, value.source.namespaces);
    else if (key === 'location') result[key] = resolveUri(value.source.uri, text);
    else result.location ??= resolvePath(value.source.uri, text);
  }
  return result;
}

const isReference = (key: string): boolean => key === 'location' || key === 'path' || key === 'format';
