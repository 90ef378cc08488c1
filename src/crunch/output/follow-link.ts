import { posix } from 'node:path';
import type { Collection } from '../../keep/collection.ts';
import { joinPath } from '../../keep/paths.ts';
import { findEntry } from '../../keep/tree.ts';
import type { FoundOrigin } from '../mounts/origin.ts';
import type { Place } from '../mounts/places.ts';
import { isInside, relativeTo } from '../paths.ts';
import type { OutputDirectory, OutputNode } from './node.ts';

/** What the container sees. */
export interface ContainerView {
  readonly root: OutputDirectory;
  readonly place: Pick<Place, 'outputPath' | 'origins' | 'unliteral'>;
}

export type LinkTarget =
  /** `at`: its real path in the container. */
  | { readonly kind: 'found'; readonly node: OutputNode; readonly at: string }
  | { readonly kind: 'nothing'; readonly problem: string };

const maxLinks = 40;

/** Reads the symlink at `at` as a process of the container would, every symlink on its way too. Touches no disk. */
export function followLink(view: ContainerView, at: string, target: string): LinkTarget {
  const { origins, outputPath, unliteral } = view.place;
  let current = posix.dirname(at);
  let text = target;
  for (let links = 0; links < maxLinks; links += 1) {
    const source = text.startsWith('/') ? origins.findSource(text) : undefined;
    if (source) return finish(target, toNode(source), source.origin.kind === 'collection', text);
    const path = text.startsWith('/') ? unliteral(text) : text;
    if (path.startsWith('/')) current = '/';
    const parts = path.split('/');
    const next = walk(view, current, parts);
    if (next.link === undefined) {
      const found = isInside(next.path, outputPath) ? lookUp(view, next.path) : toNode(origins.find(next.path));
      const isVisible = isInside(next.path, outputPath) || origins.find(next.path)?.origin.kind === 'collection';
      return finish(target, found, isVisible, next.path);
    }
    current = posix.dirname(next.path);
    text = [next.link, ...next.rest].join('/');
  }
  return { kind: 'nothing', problem: `points to ${JSON.stringify(target)}, which loops` };
}

interface Walked {
  readonly path: string;
  /** Where a symlink stopped the walk: its target, and what comes after it. */
  readonly link?: string;
  readonly rest: readonly string[];
}

function walk(view: ContainerView, from: string, parts: readonly string[]): Walked {
  let path = from;
  for (const [index, part] of parts.entries()) {
    path = posix.join(path, part || '.');
    const node = isInside(path, view.place.outputPath) ? lookUp(view, path) : undefined;
    if (node?.kind === 'symlink') return { path, link: node.target, rest: parts.slice(index + 1) };
  }
  return { path: path.replace(/(.)\/$/, '$1'), rest: [] };
}

function finish(target: string, node: OutputNode | undefined, isVisible: boolean, at: string): LinkTarget {
  if (node) return { kind: 'found', node, at };
  const problem = isVisible ? 'which does not exist' : 'which is neither in the output nor in a mounted collection';
  return { kind: 'nothing', problem: `points to ${JSON.stringify(target)}, ${problem}` };
}

function lookUp({ root, place }: ContainerView, path: string): OutputNode | undefined {
  const parts = relativeTo(path, place.outputPath).split('/').filter(Boolean);
  let node: OutputNode = root;
  for (const [index, part] of parts.entries()) {
    if (node.kind === 'mounted')
      return inCollection(node.collection, joinPath(node.path, parts.slice(index).join('/')));
    if (node.kind !== 'directory') return undefined;
    const next = node.entries.get(part);
    if (next === undefined) return undefined;
    node = next;
  }
  return node;
}

function toNode(found: FoundOrigin | undefined): OutputNode | undefined {
  if (found?.origin.kind === 'literal' && found.rest === '') return found.origin;
  if (found?.origin.kind !== 'collection') return undefined;
  return inCollection(found.origin.collection, joinPath(found.origin.path, found.rest));
}

function inCollection(collection: Collection, path: string): OutputNode | undefined {
  const clean = path.replace(/\/$/, '');
  return findEntry(collection, clean) ? { kind: 'mounted', collection, path: clean } : undefined;
}
