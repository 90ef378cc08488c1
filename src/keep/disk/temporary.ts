import { hash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../remove-tree.ts';

/** Writers of other machines or PID namespaces cannot be asked whether they live; their files may be this old. */
const foreignTtlMs = 24 * 60 * 60 * 1000;

/** A folder of this process for files that are not finished; the next process that opens the store clears it. */
export interface TemporaryFolder {
  readonly directory: string;
  /** A path that nothing has used. */
  newPath(): string;
}

/** Makes this process' folder below `parent` and removes those of processes that have ended. */
export async function openTemporaryFolder(parent: string): Promise<TemporaryFolder> {
  await mkdir(parent, { recursive: true });
  const self = writerName(process.pid);
  const directory = join(parent, self);
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(parent)) {
    if (name !== self && (await isDead(parent, name))) await removeTree(join(parent, name));
  }
  let count = 0;
  const tag = Math.random().toString(36).slice(2, 8);
  return {
    directory,
    newPath: () => {
      count += 1;
      return join(directory, `${tag}-${count}`);
    },
  };
}

/** `<machine and PID namespace>.<pid>.<start time>`: never the same for two processes. */
function writerName(pid: number): string {
  return `${namespaceName()}.${pid}.${startTime(pid) ?? 0}`;
}

async function isDead(parent: string, name: string): Promise<boolean> {
  const [namespace, pid, started] = name.split('.');
  if (namespace === namespaceName()) return startTime(Number(pid)) !== started;
  try {
    return Date.now() - (await stat(join(parent, name))).mtimeMs > foreignTtlMs;
  } catch {
    return false;
  }
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

/** Field 22 of `/proc/<pid>/stat` (proc(5)): ticks since boot; undefined when there is no such process. */
function startTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
