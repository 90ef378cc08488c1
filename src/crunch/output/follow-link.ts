import { posix } from 'node:path';
import type { Collection } from '../../keep/collection.ts';
import { joinPath } from '../../keep/paths.ts';
import { findEntry } from '../../keep/tree.ts';
import type { Origins } from '../mounts/origin.ts';
import { isInside, relativeTo } from '../paths.ts';
import type { OutputDirectory, OutputNode } from './node.ts';

/** What the container sees. */
export interface ContainerView {
  readonly root: OutputDirectory;
  readonly outputPath: string;
  readonly origins: Origins;
}

export type LinkTarget =
  /** `at`: its real path in the container. */
  | { readonly kind: 'found'; readonly node: OutputNode; readonly at: string }
  | { readonly kind: 'nothing'; readonly problem: string };

const maxLinks = 40;

/** Reads the symlink at `at` as a process of the container would, every symlink on its way too. Touches no disk. */
export function followLink(view: ContainerView, at: string, target: string): LinkTarget {
  let current = posix.dirname(at);
  const waiting: string[] = [];
  let links = 0;
  const enter = (text: string): void => {
    const path = text.startsWith('/') ? view.origins.unalias(posix.normalize(text)) : text;
    if (path.startsWith('/')) current = '/';
    waiting.unshift(...path.split('/'));
  };
  enter(target);
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
    current = posix.join(current, part);
    const found = isInside(current, view.outputPath) ? lookUp(view, current) : undefined;
    if (found?.kind !== 'symlink') continue;
    links += 1;
    if (links > maxLinks) return { kind: 'nothing', problem: `points to ${JSON.stringify(target)}, which loops` };
    current = posix.dirname(current);
    enter(found.target);
  }
  return finish(view, current.replace(/(.)\/$/, '$1'), target);
}

function finish(view: ContainerView, path: string, target: string): LinkTarget {
  const node = isInside(path, view.outputPath) ? lookUp(view, path) : lookUpMount(view, path);
  if (node) return { kind: 'found', node, at: path };
  const inside = isInside(path, view.outputPath) || view.origins.find(path)?.origin.kind === 'collection';
  const problem = inside ? 'which does not exist' : 'which is neither in the output nor in a mounted collection';
  return { kind: 'nothing', problem: `points to ${JSON.stringify(target)}, ${problem}` };
}

function lookUp(view: ContainerView, path: string): OutputNode | undefined {
  const parts = relativeTo(path, view.outputPath).split('/').filter(Boolean);
  let node: OutputNode = view.root;
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

function lookUpMount(view: ContainerView, path: string): OutputNode | undefined {
  const mount = view.origins.find(path);
  const rest = mount && relativeTo(path, mount.target);
  if (mount?.origin.kind === 'literal' && rest === '') return mount.origin;
  if (mount?.origin.kind !== 'collection') return undefined;
  return inCollection(mount.origin.collection, joinPath(mount.origin.path, rest ?? ''));
}

function inCollection(collection: Collection, path: string): OutputNode | undefined {
  const clean = path.replace(/\/$/, '');
  return findEntry(collection, clean) ? { kind: 'mounted', collection, path: clean } : undefined;
}
