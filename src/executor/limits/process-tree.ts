import { readdirSync, readFileSync } from 'node:fs';

/** What a process and its descendants use: memory now, the rest since they started. */
export interface TreeUse {
  readonly ramBytes: number;
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

const nothing: TreeUse = { ramBytes: 0, cpuUserSeconds: 0, cpuSystemSeconds: 0, readBytes: 0, writtenBytes: 0 };

/** Shared pages are not counted. The times and bytes of descendants that have ended are in those of whoever waited for them. */
export function measureTree(pid: number): TreeUse {
  return readChildren(pid).reduce((total, child) => add(total, measureTree(child)), measureProcess(pid));
}

function measureProcess(pid: number): TreeUse {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === '') return nothing;
  const times = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  const [user = 0, system = 0, waitedUser = 0, waitedSystem = 0] = times;
  const io = read(`/proc/${pid}/io`);
  return {
    ramBytes: readPrivateBytes(pid),
    cpuUserSeconds: (user + waitedUser) / ticksPerSecond,
    cpuSystemSeconds: (system + waitedSystem) / ticksPerSecond,
    readBytes: toNumber(io.match(/^read_bytes: (\d+)/m)),
    writtenBytes: toNumber(io.match(/^write_bytes: (\d+)/m)),
  };
}

/** proc(5): `_SC_CLK_TCK`, which is 100 wherever Node.js runs. */
const ticksPerSecond = 100;

const add = (one: TreeUse, other: TreeUse): TreeUse => ({
  ramBytes: one.ramBytes + other.ramBytes,
  cpuUserSeconds: one.cpuUserSeconds + other.cpuUserSeconds,
  cpuSystemSeconds: one.cpuSystemSeconds + other.cpuSystemSeconds,
  readBytes: one.readBytes + other.readBytes,
  writtenBytes: one.writtenBytes + other.writtenBytes,
});

/** proc(5), `/proc/PID/status`: anonymous memory and what of it is swapped out. */
function readPrivateBytes(pid: number): number {
  const status = read(`/proc/${pid}/status`);
  const kib = (key: string): number => toNumber(status.match(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm')));
  return (kib('RssAnon') + kib('VmSwap')) * 1024;
}

/** proc(5), `/proc/PID/task/TID/children`: each thread has its own. */
function readChildren(pid: number): number[] {
  return list(`/proc/${pid}/task`)
    .map((thread) => read(`/proc/${pid}/task/${thread}/children`).trim())
    .filter((text) => text !== '')
    .flatMap((text) => text.split(' ').map(Number));
}

const toNumber = (found: RegExpMatchArray | null): number => Number(found?.[1] ?? 0);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
