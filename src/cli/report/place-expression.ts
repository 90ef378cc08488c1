import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Where } from '../../core/errors.ts';
import { createSource, lineOf, type Node, positionOf } from '../../cwl/syntax/node.ts';
import { parseSource } from '../../cwl/syntax/parse.ts';

/**
 * `where` with the line of the expression itself. What runs a process knows only where that begins; its document is read again
 * to find the expression in the field of that name, or in any, below there.
 */
export function placeExpression(where: Where): Where {
  const { file, line = 1, field = '', expression } = where;
  if (file === undefined || expression === undefined) return where;
  const key = field.slice(field.lastIndexOf('.') + 1).replace(/\[\d+\]$/, '');
  const places = expressionsOf(file, expression.trim()).filter((place) => positionOf(place.node).line >= line);
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

function expressionsOf(file: string, text: string): readonly Placed[] {
  try {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    return find(parseSource(createSource(pathToFileURL(path).href, readFileSync(path, 'utf8'))), '', text);
  } catch {
    return [];
  }
}

function find(node: Node, key: string, text: string): readonly Placed[] {
  if (node.kind === 'list') return node.items.flatMap((item) => find(item, key, text));
  if (node.kind === 'map') return [...node.entries.values()].flatMap((entry) => find(entry.value, entry.key, text));
  return typeof node.value === 'string' && node.value.trim() === text ? [{ key, node }] : [];
}
