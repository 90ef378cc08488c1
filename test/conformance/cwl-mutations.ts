import { createSource, type MapEntry, type Node } from '../../src/cwl/syntax/node.ts';
import { parseSource } from '../../src/cwl/syntax/parse.ts';

export interface Mutation {
  /** What was changed, for people. */
  readonly what: string;
  readonly text: string;
}

interface Edit {
  readonly what: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A generator of numbers below `below`: the same numbers for the same seed. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Up to `count` documents that differ from `text` in one place each: a key misspelt or gone, a type swapped, a link broken, a value of another kind. */
export function mutate(text: string, count: number, random: (below: number) => number): readonly Mutation[] {
  const root = parseSource(createSource('mutated:', text));
  const edits = [...editsOf(root, [])];
  const chosen: Mutation[] = [];
  while (chosen.length < count && edits.length > 0) {
    const [edit] = edits.splice(random(edits.length), 1);
    if (edit) chosen.push({ what: edit.what, text: text.slice(0, edit.start) + edit.text + text.slice(edit.end) });
  }
  return chosen;
}

/** Free text and values of the user's own: nothing in them is wrong. */
const free = new Set([
  'default',
  'doc',
  'label',
  'id',
  'symbols',
  'expressionLib',
  '$namespaces',
  '$schemas',
  'listing',
  'envDef',
  'hints',
  'packages',
]);
const types = ['File', 'int', 'string', 'boolean', 'Directory', 'File[]', 'string[]'];

function* editsOf(node: Node, path: readonly string[]): Generator<Edit> {
  if (node.kind === 'list') for (const item of node.items) yield* editsOf(item, path);
  if (node.kind !== 'map') return;
  for (const entry of node.entries.values()) {
    if (!isUserName(path)) yield* keyEdits(entry, path);
    if (free.has(entry.key) || entry.key.includes(':')) continue;
    yield* valueEdits(entry, path);
    yield* editsOf(entry.value, [...path, entry.key]);
  }
}

/** Keys of identifier maps are names that the document is free to choose; a changed one may leave the document valid. */
const isUserName = (path: readonly string[]): boolean =>
  ['inputs', 'outputs', 'steps', 'in', 'fields', 'requirements', 'hints'].includes(path.at(-1) ?? '');

function* keyEdits(entry: MapEntry, path: readonly string[]): Generator<Edit> {
  const { key, keyStart: start, keyEnd: end } = entry;
  if (key.length < 3 || key.startsWith('$') || key.includes(':')) return;
  const place = [...path, key].join('.');
  const middle = Math.floor(key.length / 2);
  yield { what: `letter of key dropped: ${place}`, start, end, text: key.slice(0, middle) + key.slice(middle + 1) };
  const swapped = key.slice(0, middle - 1) + key.charAt(middle) + key.charAt(middle - 1) + key.slice(middle + 1);
  if (swapped !== key) yield { what: `letters of key swapped: ${place}`, start, end, text: swapped };
}

function* valueEdits(entry: MapEntry, path: readonly string[]): Generator<Edit> {
  const { key, value } = entry;
  const raw = value.source.text.slice(value.start, value.end);
  const isQuoted = /["']/.test(value.source.text.charAt(value.start - 1));
  if (value.kind !== 'scalar' || typeof value.value !== 'string' || raw !== value.value || isQuoted) return;
  const { start, end } = value;
  const place = [...path, key].join('.');
  const parent = path.at(-1) ?? '';
  if (key === 'type' || parent === 'inputs' || parent === 'outputs' || key === 'items') {
    yield { what: `type misspelt: ${place}`, start, end, text: `${raw.slice(0, 1)}x${raw.slice(1)}` };
    const other = types.find((type) => type !== raw && type.charCodeAt(0) % 3 === raw.charCodeAt(1) % 3) ?? 'int';
    yield { what: `type ${raw} swapped for ${other}: ${place}`, start, end, text: other };
  }
  if (key === 'source' || key === 'outputSource' || parent === 'in' || key === 'scatter' || key === 'run') {
    yield { what: `link broken: ${place}`, start, end, text: `${raw}x` };
  }
  if (key === 'class' || key === 'scatterMethod' || key === 'linkMerge' || key === 'pickValue') {
    yield { what: `name misspelt: ${place}`, start, end, text: `${raw}x` };
  }
  yield { what: `text made a mapping: ${place}`, start, end, text: '{unexpected: 1}' };
  yield { what: `text made a number: ${place}`, start, end, text: '12' };
}
