import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Where } from '../../core/errors.ts';
import { createSource, lineOf, type Node, positionOf } from '../../cwl/syntax/node.ts';
import { parseSource } from '../../cwl/syntax/parse.ts';

/**
 * `where` with the line of the field or the expression itself. What runs a process knows only where that begins; its document is
 * read again to find the expression in the field of that name, or in any, or the field without one, below there.
 */
export function placeField(where: Where): Where {
  const { file, line = 1, field = '', expression } = where;
  const key = field.slice(field.lastIndexOf('.') + 1).replace(/\[\d+\]$/, '');
  if (file === undefined || (expression === undefined && key === '')) return where;
  const isMeant = (place: Placed): boolean =>
    expression === undefined
      ? place.key === key
      : place.node.kind === 'scalar' && String(place.node.value).trim() === expression.trim();
  const places = placesIn(file).filter((place) => positionOf(place.node).line >= line && isMeant(place));
  const found = places.find((place) => place.key === key) ?? places[0];
  if (!found) return where;
  const position = positionOf(found.node);
  const indent = /^\s*/.exec(lineOf(found.node))?.[0].length ?? 0;
  return { ...where, ...position, column: Math.max(position.column, indent + 1) };
}

interface Placed {
  /** Name of the nearest field around it. */
  readonly key: string;
  readonly node: Node;
}

function placesIn(file: string): readonly Placed[] {
  try {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    return [...below(parseSource(createSource(pathToFileURL(path).href, readFileSync(path, 'utf8'))), '')];
  } catch {
    return [];
  }
}

function* below(node: Node, key: string): Generator<Placed> {
  yield { key, node };
  if (node.kind === 'list') for (const item of node.items) yield* below(item, key);
  if (node.kind === 'map') for (const entry of node.entries.values()) yield* below(entry.value, entry.key);
}
