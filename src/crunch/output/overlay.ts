import { listDirectory } from '../../keep/tree.ts';
import type { Origin, Origins } from '../mounts/origin.ts';
import { relativeTo } from '../paths.ts';
import type { OutputDirectory, OutputNode } from './node.ts';

/**
 * Puts the mounts below output_path over what the disk has there: a bound collection shows as an empty mount point on our
 * side, and secrets, git trees and what the record excludes are no output at all.
 */
export function overlayMounts(root: OutputDirectory, outputPath: string, origins: Origins, bound: boolean): void {
  for (const { target, origin } of origins.below(outputPath)) {
    const parts = relativeTo(target, outputPath).split('/');
    const name = parts.pop() ?? '';
    const parent = openDirectory(root, parts, bound);
    const present = parent?.entries.get(name);
    if (!parent || (!bound && present?.kind !== 'symlink')) continue;
    overlay(parent, name, origin, bound);
  }
}

function overlay(parent: OutputDirectory, name: string, origin: Origin, bound: boolean): void {
  switch (origin.kind) {
    case 'hidden':
      parent.entries.delete(name);
      return;
    case 'collection':
      if (origin.excluded) parent.entries.delete(name);
      else if (bound) parent.entries.set(name, { kind: 'mounted', collection: origin.collection, path: origin.path });
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
