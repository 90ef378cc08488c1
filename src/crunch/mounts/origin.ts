import type { Collection } from '../../keep/collection.ts';
import { isInside, relativeTo } from '../paths.ts';

/** What lies under a path that the container sees. */
export type Origin =
  /** `path` in the collection; empty: all of it. */
  | { readonly kind: 'collection'; readonly collection: Collection; readonly path: string; readonly excluded: boolean }
  /** A text or json mount: its file on the host. */
  | { readonly kind: 'literal'; readonly hostPath: string }
  /** The container's own to write to: tmp, writable copies. */
  | { readonly kind: 'scratch' }
  /** Never part of an output: secrets, git trees. */
  | { readonly kind: 'hidden' };

export interface FoundOrigin {
  readonly origin: Origin;
  /** Path below the mount; empty: the mount itself. */
  readonly rest: string;
}

export interface Origins {
  add(target: string, origin: Origin): void;
  /** What the innermost mount that holds `path` is. */
  find(path: string): FoundOrigin | undefined;
  /** Every mount below `directory`, parents first. */
  below(directory: string): readonly { readonly origin: Origin; readonly target: string }[];
  /** On the host a process also sees the sources of its mounts. */
  addSource(target: string, source: string): void;
  findSource(path: string): FoundOrigin | undefined;
  isSourceOf(target: string, path: string): boolean;
}

export function createOrigins(): Origins {
  const byTarget = new Map<string, Origin>();
  const sources = new Map<string, string>();
  return {
    add: (target, origin) => void byTarget.set(target, origin),
    find(path) {
      for (let target = path; ; target = target.slice(0, target.lastIndexOf('/')) || '/') {
        const origin = byTarget.get(target);
        if (origin) return { origin, rest: relativeTo(path, target) };
        if (target === '/') return undefined;
      }
    },
    below: (directory) =>
      [...byTarget]
        .filter(([target]) => target !== directory && isInside(target, directory))
        .map(([target, origin]) => ({ target, origin })),
    addSource: (target, source) => void sources.set(target, source),
    findSource(path) {
      for (const [target, source] of sources) {
        const origin = isInside(path, source) ? byTarget.get(target) : undefined;
        if (origin) return { origin, rest: relativeTo(path, source) };
      }
      return undefined;
    },
    isSourceOf: (target, path) => sources.get(target) === path,
  };
}
