import { fileURLToPath } from 'node:url';
import type { JsonValue } from '../../core/json.ts';
import type { Position } from '../model.ts';

/** One text that nodes come from. `namespaces` and `version` are those in force in it. */
export interface Source {
  readonly uri: string;
  readonly text: string;
  namespaces: Readonly<Record<string, string>>;
  version: string | undefined;
  /** Offsets at which lines start; made at the first question. */
  lineStarts?: readonly number[];
}

interface Placed {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

export interface ScalarNode extends Placed {
  readonly kind: 'scalar';
  readonly value: string | number | bigint | boolean | null;
}

export interface ListNode extends Placed {
  readonly kind: 'list';
  readonly items: Node[];
}

export interface MapEntry {
  readonly key: string;
  readonly source: Source;
  readonly keyStart: number;
  readonly keyEnd: number;
  value: Node;
}

export interface MapNode extends Placed {
  readonly kind: 'map';
  readonly entries: Map<string, MapEntry>;
}

/** A value of a document that knows where it stands. Changed only while directives of its document are resolved. */
export type Node = ScalarNode | ListNode | MapNode;

/** A stretch of a source: a node, or the key of an entry. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

export const createSource = (uri: string, text: string): Source => ({ uri, text, namespaces: {}, version: undefined });

export const keySpan = (entry: MapEntry): Span => ({ source: entry.source, start: entry.keyStart, end: entry.keyEnd });

/** File name as people write it: the path of a `file:` URI, else the URI. */
export function displayName(uri: string): string {
  if (!uri.startsWith('file:')) return uri;
  try {
    return fileURLToPath(uri);
  } catch {
    return uri;
  }
}

export function positionOf(span: Span): Position {
  const starts = lineStartsOf(span.source);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= span.start) low = middle;
    else high = middle - 1;
  }
  return { file: displayName(span.source.uri), line: low + 1, column: span.start - (starts[low] ?? 0) + 1 };
}

/** As the document has it. */
export const sourceText = ({ source, start, end }: Span): string => source.text.slice(start, end);

/** The line of text that `span` starts in. */
export function lineOf(span: Span): string {
  const { text } = span.source;
  const start = text.lastIndexOf('\n', span.start - 1) + 1;
  const end = text.indexOf('\n', span.start);
  return text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
}

function lineStartsOf(source: Source): readonly number[] {
  if (source.lineStarts) return source.lineStarts;
  const starts = [0];
  for (let at = source.text.indexOf('\n'); at >= 0; at = source.text.indexOf('\n', at + 1)) starts.push(at + 1);
  source.lineStarts = starts;
  return starts;
}

/** Plain JSON of a node. */
export function toJson(node: Node): JsonValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toJson);
  const result: Record<string, JsonValue> = {};
  for (const [key, entry] of node.entries) result[key] = toJson(entry.value);
  return result;
}

export const field = (node: Node | undefined, key: string): Node | undefined =>
  node?.kind === 'map' ? node.entries.get(key)?.value : undefined;

export const stringOf = (node: Node | undefined): string | undefined =>
  node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;

export const booleanOf = (node: Node | undefined): boolean | undefined =>
  node?.kind === 'scalar' && typeof node.value === 'boolean' ? node.value : undefined;

export const isNull = (node: Node | undefined): boolean =>
  node === undefined || (node.kind === 'scalar' && node.value === null);

/** The items of a list; a single value as a list of one; nothing for null. */
export function itemsOf(node: Node | undefined): readonly Node[] {
  if (node === undefined || isNull(node)) return [];
  return node.kind === 'list' ? node.items : [node];
}

/** What a reader calls the node's kind. */
export function describe(node: Node): string {
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.kind === 'map') return 'a mapping';
  if (node.value === null) return 'nothing (null)';
  const text = typeof node.value === 'string' ? JSON.stringify(node.value) : String(node.value);
  return `the ${typeof node.value} ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`;
}
