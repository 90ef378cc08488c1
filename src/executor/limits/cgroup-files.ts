import { readFileSync, writeFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** A number of a cgroup file; undefined where the kernel does not tell. */
export function readNumber(folder: string, file: string): number | undefined {
  const value = Number(readText(folder, file) || Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

/** The number that follows `key` on a line of a flat keyed file (cgroup v2, "Flat keyed"). */
export function readKeyed(folder: string, file: string, key: string): number | undefined {
  const found = readText(folder, file).match(new RegExp(`^${key} (\\d+)$`, 'm'));
  return found ? Number(found[1]) : undefined;
}

export function readText(folder: string, file: string): string {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch {
    return '';
  }
}

/** False where the kernel lacks the file or refuses. */
export function tryWrite(folder: string, file: string, value: string | number): boolean {
  try {
    writeFileSync(join(folder, file), String(value));
    return true;
  } catch {
    return false;
  }
}

/** Removes an empty group. It waits for whoever moves processes just then; the kernel may say EBUSY for a moment after the last has gone. */
export async function removeGroup(folder: string): Promise<void> {
  for (let waitMs = 1; waitMs < 500; waitMs *= 2) {
    try {
      await rmdir(folder);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') return;
      await setTimeout(waitMs);
    }
  }
}
