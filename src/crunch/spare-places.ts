import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Places that containers left as they got them, with nothing in their directories, wait here for the next ones: to rename one
 * costs the file system a tenth of removing its directories and making them anew, which is half of what a trivial step costs.
 * See docs/decisions/089.
 */
export interface SparePlaces {
  /** Makes `path` a directory that holds `inner`, the names of empty directories, and nothing else. */
  open(path: string, inner: readonly string[]): void;
  /** Takes one back; false leaves it where it is, since something is in it or its permissions were changed. */
  takeBack(path: string, inner: readonly string[]): boolean;
  /** Removes those that wait. */
  clear(): void;
}

/** As many as can run at once on most machines. */
const mostKept = 64;

/** `folder` is this process' own, on the file system of the paths. */
export function createSparePlaces(folder: string): SparePlaces {
  const kept: { readonly path: string; readonly inner: readonly string[] }[] = [];
  let count = 0;
  let fresh: string | undefined;
  return {
    open(path, inner) {
      const index = kept.findIndex((spare) => spare.inner.join('/') === inner.join('/'));
      const [spare] = index < 0 ? [] : kept.splice(index, 1);
      if (spare !== undefined) return renameSync(spare.path, path);
      mkdirSync(path);
      for (const name of inner) mkdirSync(join(path, name));
      fresh ??= permissions(path);
    },
    takeBack(path, inner) {
      count += 1;
      const spare = { path: join(folder, `spare-${count}`), inner };
      try {
        if (kept.length >= mostKept || !isUntouched(path, inner, fresh)) return false;
        renameSync(path, spare.path);
      } catch {
        return false;
      }
      kept.push(spare);
      return true;
    },
    clear() {
      for (const { path, inner } of kept.splice(0)) {
        for (const name of inner) rmdirSync(join(path, name));
        rmdirSync(path);
      }
    },
  };
}

function isUntouched(place: string, inner: readonly string[], fresh: string | undefined): boolean {
  if (permissions(place) !== fresh || readdirSync(place).length !== inner.length) return false;
  return inner.every((name) => {
    const path = join(place, name);
    return permissions(path) === fresh && readdirSync(path).length === 0;
  });
}

/** Of a directory; undefined for anything else. */
function permissions(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() ? `${stat.mode} ${stat.uid} ${stat.gid}` : undefined;
}
