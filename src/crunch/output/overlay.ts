import { listDirectory } from '../../keep/tree.ts';
import type { Origin } from '../mounts/origin.ts';
import type { Place } from '../mounts/places.ts';
import { relativeTo } from '../paths.ts';
import type { OutputDirectory, OutputNode } from './node.ts';

/**
 * Puts the mounts below output_path over what the disk has there: on our side a bound collection is an empty mount point, and one
 * on the host a symlink, unless the command replaced it. Secrets, git trees and what the record excludes are no output.
 */
export function overlayMounts(root: OutputDirectory, place: Pick<Place, 'kind' | 'outputPath' | 'origins'>): void {
  const { outputPath, origins } = place;
  const bound = place.kind === 'container';
  for (const { target, origin } of origins.below(outputPath)) {
    const parts = relativeTo(target, outputPath).split('/');
    const name = parts.pop() ?? '';
    const parent = openDirectory(root, parts, bound);
    const present = parent?.entries.get(name);
    const isOurs = bound || (present?.kind === 'symlink' && origins.isSourceOf(target, present.target));
    if (!parent || !isOurs) continue;
    overlay(parent, name, origin);
  }
}

function overlay(parent: OutputDirectory, name: string, origin: Origin): void {
  switch (origin.kind) {
    case 'hidden':
      parent.entries.delete(name);
      return;
    case 'collection':
      if (origin.excluded) parent.entries.delete(name);
      else parent.entries.set(name, { kind: 'mounted', collection: origin.collection, path: origin.path });
      return;
    case 'literal':
      if (parent.id === expandedId) parent.entries.set(name, { kind: 'literal', hostPath: origin.hostPath });
      return;
    case 'scratch':
      return;
  }
}

/** A mounted collection that became a directory, because another mount lies in it. */
const expandedId = '';

function openDirectory(root: OutputDirectory, parts: readonly string[], bound: boolean): OutputDirectory | undefined {
  let directory = root;
  for (const part of parts) {
    let next: OutputNode | undefined = directory.entries.get(part);
    if (next?.kind === 'mounted') next = expand(next);
    else if (next === undefined && bound) next = { kind: 'directory', id: expandedId, entries: new Map() };
    if (next?.kind !== 'directory') return undefined;
    directory.entries.set(part, next);
    directory = next;
  }
  return directory;
}

function expand(node: OutputNode & { kind: 'mounted' }): OutputNode {
  if (node.collection.files.has(node.path)) return node;
  const entries = listDirectory(node.collection, node.path).map((entry): [string, OutputNode] => [
    entry.name,
    { kind: 'mounted', collection: node.collection, path: entry.path },
  ]);
  return { kind: 'directory', id: expandedId, entries: new Map(entries) };
}
