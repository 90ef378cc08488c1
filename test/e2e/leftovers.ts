import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Processes whose command line or environment holds `word`: what a runner with that in its paths started. */
export function processesWith(word: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter((pid) => read(`/proc/${pid}/cmdline`).includes(word) || read(`/proc/${pid}/environ`).includes(word))
    .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
}

/** The processes that are still there after a while. */
export async function lastingProcessesWith(word: string): Promise<string[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (processesWith(word).length === 0) return [];
    await sleep(50);
  }
  return processesWith(word);
}

/** Mounts of this machine below `folder`. */
export const mountsBelow = (folder: string): string[] =>
  read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes(folder));

/** Unfinished things in a home: scratch, half images, half trees, half layers. */
export function unfinishedIn(home: string): string[] {
  const scratch = list(join(home, 'work/scratch')).map((name) => `work/scratch/${name}`);
  const parts = ['sandbox', 'sandbox/single'].flatMap((root) =>
    ['layers', 'images', 'builds'].flatMap((kind) =>
      list(join(home, root, kind))
        .filter((name) => name.startsWith('.') || kind === 'builds')
        .map((name) => join(root, kind, name)),
    ),
  );
  const trees = list(join(home, 'keep/trees')).filter((name) => name.endsWith('.part'));
  return [...scratch, ...parts, ...trees];
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
