import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Claim } from '../../../core/claim.ts';

export interface CacheDirs {
  /**
   * The directory of a cache, made by `fill` the first time (whole or absent, also after a crash). `locked` waits until nobody of
   * this process has it, `private` gives another one while it is taken.
   */
  take(
    id: string,
    sharing: 'shared' | 'private' | 'locked',
    fill: (path: string) => Promise<void>,
  ): Promise<{ readonly path: string; release(): Promise<void> }>;
}

/** `claim`: where others clear what is unused in `root`. */
export function createCacheDirs(root: string, claim: Claim = async (path) => existsSync(path)): CacheDirs {
  const users = new Map<string, number>();
  const tails = new Map<string, Promise<void>>();
  const making = new Map<string, Promise<void>>();

  const make = async (path: string, fill: (path: string) => Promise<void>) => {
    if (await claim(path)) return;
    await mkdir(root, { recursive: true });
    const part = `${path}.${process.pid}.tmp`;
    await rm(part, { recursive: true, force: true });
    await fill(part);
    await rename(part, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    await rm(part, { recursive: true, force: true });
  };
  const ensure = (path: string, fill: (path: string) => Promise<void>) => {
    const made = making.get(path) ?? make(path, fill).finally(() => making.delete(path));
    making.set(path, made);
    return made;
  };
  const lock = async (path: string): Promise<() => void> => {
    const before = tails.get(path);
    let unlock = () => {};
    tails.set(
      path,
      new Promise((resolve) => {
        unlock = resolve;
      }),
    );
    await before;
    return unlock;
  };
  return {
    async take(id, sharing, fill) {
      let path = join(root, id);
      for (let copy = 1; sharing === 'private' && (users.get(path) ?? 0) > 0; copy += 1)
        path = join(root, `${id}-${copy}`);
      users.set(path, (users.get(path) ?? 0) + 1);
      const unlock = sharing === 'locked' ? await lock(path) : () => {};
      const release = async () => {
        users.set(path, (users.get(path) ?? 1) - 1);
        unlock();
      };
      try {
        await ensure(path, fill);
      } catch (error) {
        await release();
        throw error;
      }
      return { path, release };
    },
  };
}
