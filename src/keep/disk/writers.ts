import { hash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { processStart } from '../../core/process-start.ts';

/** Writers of other machines or PID namespaces cannot be asked whether they live; their files may be this old. */
const foreignTtlMs = 24 * 60 * 60 * 1000;

/** When this process became a writer. */
export const writerSinceMs = Date.now();

/** `<machine and PID namespace>.<pid>.<start time>.<since>`: never the same for two processes. */
export function writerName(): string {
  knownName ??= `${namespaceName()}.${process.pid}.${processStart(process.pid) ?? ''}.${writerSinceMs}`;
  return knownName;
}
let knownName: string | undefined;

/** Of the writer that has an entry in `parent`. A foreign one counts as dead when its entry has not changed for `ttlMs`. */
export async function isWriterDead(parent: string, name: string, ttlMs = foreignTtlMs): Promise<boolean> {
  const [namespace, pid, started] = name.split('.');
  if (namespace === namespaceName()) return processStart(Number(pid)) !== started;
  try {
    return Date.now() - (await stat(join(parent, name))).mtimeMs > ttlMs;
  } catch {
    return false;
  }
}

/**
 * Since when the other writers that have an entry in `parent`, and may live, have been there. What one of them uses, it has claimed
 * since then.
 */
export async function otherWritersSince(parent: string): Promise<number[]> {
  const since: number[] = [];
  for (const name of await readdir(parent)) {
    if (name === writerName() || (await isWriterDead(parent, name))) continue;
    since.push(Number(name.split('.')[3] ?? 0));
  }
  return since;
}

let knownNamespace: string | undefined;

function namespaceName(): string {
  knownNamespace ??= hash('sha1', readNamespace(), 'hex').slice(0, 12);
  return knownNamespace;
}

function readNamespace(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8') + readlinkSync('/proc/self/ns/pid');
  } catch {
    return `${process.platform} without /proc`;
  }
}
