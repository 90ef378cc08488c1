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

export interface Origins {
  /** The origin of the innermost mount that holds `path`, and the target of that mount. */
  find(path: string): { readonly origin: Origin; readonly target: string } | undefined;
  add(target: string, origin: Origin): void;
  /** A process on the host also sees the sources of mounts: `source` stands for `target`. */
  addAlias(source: string, target: string): void;
  /** `path` as the record would name it. */
  unalias(path: string): string;
  /** Every mount below `directory`, parents first. */
  below(directory: string): readonly { readonly origin: Origin; readonly target: string }[];
}

export function createOrigins(): Origins {
  const byTarget = new Map<string, Origin>();
  const aliases = new Map<string, string>();
  return {
    add: (target, origin) => void byTarget.set(target, origin),
    addAlias: (source, target) => void aliases.set(source, target),
    unalias(path) {
      for (const [source, target] of aliases) {
        if (isInside(path, source)) return path === source ? target : `${target}/${relativeTo(path, source)}`;
      }
      return path;
    },
    find(path) {
      for (let target = path; ; target = target.slice(0, target.lastIndexOf('/')) || '/') {
        const origin = byTarget.get(target);
        if (origin) return { origin, target };
        if (target === '/') return undefined;
      }
    },
    below: (directory) =>
      [...byTarget]
        .filter(([target]) => target !== directory && isInside(target, directory))
        .map(([target, origin]) => ({ target, origin })),
  };
}
