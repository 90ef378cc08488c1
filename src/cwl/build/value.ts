import type { JsonValue } from '../../core/json.ts';
import { readFloat } from '../../core/numbers.ts';
import { field, type Node, type ScalarNode, sourceText, stringOf, toJson } from '../syntax/node.ts';
import { expandPrefix, resolvePath, resolveUri } from '../syntax/uri.ts';

/**
 * A value of the input object or a default as JSON, in which each File and Directory has an absolute `location` instead of a
 * `path`, and a full `format`. Relative references are relative to the document they stand in.
 */
export const toValue = (node: Node): JsonValue => convert(node, writtenValue);

/** As `toValue`, for fields of requirements: their numbers are for arithmetic. */
export const toFieldValue = (node: Node): JsonValue => convert(node, ({ value }) => value);

/** `1.0` is a float to whoever gets it as text, and no int. */
function writtenValue(node: ScalarNode): JsonValue {
  const { value } = node;
  if (typeof value !== 'number' || !Number.isFinite(value)) return value;
  const text = sourceText(node);
  return text.includes('.') ? readFloat(text) : value;
}

function convert(node: Node, scalarValue: (node: ScalarNode) => JsonValue): JsonValue {
  if (node.kind === 'scalar') return scalarValue(node);
  if (node.kind === 'list') return node.items.map((item) => convert(item, scalarValue));
  const kind = stringOf(field(node, 'class'));
  const isFile = kind === 'File' || kind === 'Directory';
  const result: Record<string, JsonValue> = {};
  for (const [key, { value }] of node.entries) {
    const text = isFile ? stringOf(value) : undefined;
    if (text === undefined || !isReference(key))
      result[key] = isFile && key === 'metadata' ? toJson(value) : convert(value, scalarValue);
    else if (key === 'format') result[key] = expandPrefix(text, value.source.namespaces);
    else if (key === 'location') result[key] = resolveUri(value.source.uri, text);
    else result.location ??= resolvePath(value.source.uri, text);
  }
  return result;
}

const isReference = (key: string): boolean => key === 'location' || key === 'path' || key === 'format';
