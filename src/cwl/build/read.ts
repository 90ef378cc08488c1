import type { SecondaryFile } from '../model.ts';
import { booleanOf, field, isNull, itemsOf, keySpan, type Node, type Span, stringOf } from '../syntax/node.ts';
import { expandPrefix, shortName } from '../syntax/uri.ts';
import type { BuildContext } from './context.ts';

/** One element of an identifier map in normal form. */
export interface Item {
  /** Short name. */
  readonly id: string;
  /** Where the identifier stands. */
  readonly idSpan: Span;
  readonly node: Node;
}

/** The elements of an identifier map, whichever way it is written; a bare value becomes `{predicate: value}`. */
export function readItems(node: Node | undefined, subject: string, predicate?: string): readonly Item[] {
  if (node?.kind === 'list') {
    return node.items.map((item) => {
      const subjectNode = field(item, subject);
      return { id: shortName(stringOf(subjectNode) ?? ''), idSpan: subjectNode ?? item, node: item };
    });
  }
  if (node?.kind !== 'map') return [];
  return [...node.entries.values()].map((entry) => ({
    id: shortName(entry.key),
    idSpan: keySpan(entry),
    node: predicate === undefined ? entry.value : wrapPredicate(entry.value, predicate),
  }));
}

function wrapPredicate(value: Node, predicate: string): Node {
  if (value.kind === 'map') return value;
  const { source, start, end } = value;
  const entries = new Map(
    isNull(value) ? [] : [[predicate, { key: predicate, source, keyStart: start, keyEnd: end, value }]],
  );
  return { kind: 'map', source, start, end, entries };
}

/** Reports identifiers that stand twice. */
export function checkUnique(items: readonly Item[], what: string, context: BuildContext): void {
  const seen = new Set<string>();
  for (const { id, idSpan } of items) {
    if (seen.has(id)) context.problems.error('duplicate-id', idSpan, `duplicate ${what} ${JSON.stringify(id)}`);
    seen.add(id);
  }
}

const nameOf = (item: Node): string | undefined =>
  item.kind === 'scalar' && item.value !== null ? String(item.value) : undefined;

export const strings = (node: Node | undefined): readonly string[] =>
  itemsOf(node).flatMap((item) => nameOf(item) ?? []);

/** The names that a field lists, by themselves or as the `id` of something; `context` keeps where each stands. */
export function readNames(
  node: Node | undefined,
  toName: (text: string) => string,
  { load }: BuildContext,
): readonly string[] {
  const places: Node[] = [];
  const names = itemsOf(node).flatMap((item) => {
    const text = nameOf(item) ?? stringOf(field(item, 'id'));
    if (text === undefined) return [];
    places.push(item);
    return toName(text);
  });
  load.places.set(names, places);
  return names;
}

function textOf(node: Node | undefined): string | undefined {
  if (node?.kind === 'list') return strings(node).join('\n');
  return stringOf(node);
}

export const documentation = (node: Node): { readonly label?: string; readonly doc?: string } => {
  const label = stringOf(field(node, 'label'));
  const doc = textOf(field(node, 'doc'));
  return { ...(label !== undefined && { label }), ...(doc !== undefined && { doc }) };
};

const hasExpression = (text: string): boolean => text.includes('$(') || text.includes('${');

/** Format IRIs in full; expressions as they are. */
export function readFormats(node: Node | undefined, context: BuildContext): readonly string[] {
  return itemsOf(node).flatMap((item) => {
    const text = stringOf(item);
    if (text === undefined) return [];
    if (hasExpression(text)) return [text];
    const full = expandPrefix(text, { ...context.namespaces, ...item.source.namespaces });
    return [full.includes(':') ? full : `${item.source.uri}${full.startsWith('#') ? '' : '#'}${full}`];
  });
}

/** `pattern?` is short for an optional one since v1.1 (Schema Salad, "Domain Specific Language for secondary files"). */
export function readSecondaryFiles(node: Node | undefined, context: BuildContext): readonly SecondaryFile[] {
  return itemsOf(node).flatMap((item): SecondaryFile | readonly SecondaryFile[] => {
    const text = stringOf(item);
    if (text !== undefined) {
      if (context.version.startsWith('v1.0') || !text.endsWith('?')) return { pattern: text };
      return { pattern: text.slice(0, -1), required: false };
    }
    const pattern = stringOf(field(item, 'pattern'));
    if (pattern === undefined) return [];
    const required = booleanOf(field(item, 'required')) ?? stringOf(field(item, 'required'));
    if (required === undefined && pattern.endsWith('?')) {
      return { pattern: pattern.slice(0, -1), required: false };
    }
    return { pattern, ...(required !== undefined && { required }) };
  });
}
