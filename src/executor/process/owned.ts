import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { processStart } from '../../core/process-start.ts';

/**
 * Names of folders that live as long as the process that made them: `.of-<pid>-<start time>-<random>`. The start time tells
 * a process from a later one with its id.
 */
export const ownedName = (): string =>
  `${ownedPrefix}${process.pid}-${processStart(process.pid)}-${randomBytes(6).toString('hex')}`;

const ownedPrefix = '.of-';

/** Owned folders in `folder` whose process has ended. */
export async function findOrphaned(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter(isOrphaned).map((name) => join(folder, name));
}

/** Whether the process that made the owned name has ended; undefined for a name of another kind. */
export const isOrphaned = (name: string): boolean | undefined =>
  name.startsWith(ownedPrefix) ? !hasOwner(name) : undefined;

function hasOwner(name: string): boolean {
  const [pid, start] = name.slice(ownedPrefix.length).split('-');
  return start !== undefined && processStart(Number(pid)) === start;
}
