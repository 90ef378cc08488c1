import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { toBlockLocator } from '../../src/core/ids.ts';
import { type DiskBlockStore, openDiskBlockStore } from '../../src/keep/disk/disk-store.ts';
import { removeTree } from '../../src/keep/remove-tree.ts';

const writerPath = new URL('./block-store-writer.ts', import.meta.url).pathname;

let home: string;
let directory: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hallmark-processes-'));
  directory = join(home, 'keep');
});
afterEach(() => removeTree(home));

interface Writer {
  /** Lines that the writer was acknowledged. */
  readonly lines: string[];
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** Starts a writer; with `killAfter`, kills it a random moment after so many lines. */
function startWriter(seed: string, count: number, killAfter = Number.POSITIVE_INFINITY): Writer {
  const child = spawn(process.execPath, [writerPath, directory, seed, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    if (lines.length >= killAfter) setTimeout(() => child.kill('SIGKILL'), Math.random() * 30);
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  return { lines, ended };
}

async function expectHeld(store: DiskBlockStore, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const [what, ...names] = line.split(' ');
    if (what === 'tree') expect(existsSync(join(directory, 'trees', names[0] ?? ''))).toBe(true);
    else for (const name of names) await store.read(toBlockLocator(name));
    if (what === 'file') expect(await store.wholeFile(names.map(toBlockLocator))).toBeDefined();
  }
}

/** Nothing bears a name that its bytes do not have, and every tree is complete. */
async function expectSound(): Promise<void> {
  for (const prefix of await readdir(directory)) {
    if (!/^[0-9a-f]{3}$/.test(prefix)) continue;
    for (const name of await readdir(join(directory, prefix))) {
      const data = await readFile(join(directory, prefix, name));
      expect(createHash('md5').update(data).digest('hex')).toBe(name);
    }
  }
  for (const tree of existsSync(join(directory, 'trees')) ? await readdir(join(directory, 'trees')) : []) {
    const files = await readdir(join(directory, 'trees', tree), { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile())).toHaveLength(10);
  }
}

const patience = { timeout: 60_000 };

describe('a writer that is killed', patience, () => {
  it.each([1, 3, 8, 20])('after %i acknowledgements loses none, and leaves no part of anything', async (killAfter) => {
    const { lines, ended } = startWriter('killed', 100_000, killAfter);
    expect((await ended).signal).toBe('SIGKILL');
    expect(lines.length).toBeGreaterThan(0);
    await expectSound();
    const store = await openDiskBlockStore(directory, { clock: systemClock() });
    await expectHeld(store, lines);
    expect(await readdir(join(directory, 'tmp'))).toHaveLength(1);
    const again = startWriter('killed', 8);
    expect((await again.ended).code).toBe(0);
    await expectHeld(store, again.lines);
    await expectSound();
  });
});

describe('several writers', patience, () => {
  it('of the same content at once do not disturb each other', async () => {
    const writers = [startWriter('same', 12), startWriter('same', 12), startWriter('other', 12)];
    for (const { ended } of writers) expect((await ended).code).toBe(0);
    expect(writers[0]?.lines).toEqual(writers[1]?.lines);
    const store = await openDiskBlockStore(directory, { clock: systemClock() });
    for (const { lines } of writers) await expectHeld(store, lines);
    await expectSound();
    expect(await readdir(join(directory, 'tmp'))).toHaveLength(1);
  });

  it('go on when another is killed beside them', async () => {
    const victim = startWriter('same', 100_000, 5);
    const survivor = startWriter('same', 15);
    expect((await victim.ended).signal).toBe('SIGKILL');
    expect((await survivor.ended).code).toBe(0);
    const store = await openDiskBlockStore(directory, { clock: systemClock() });
    await expectHeld(store, [...victim.lines, ...survivor.lines]);
    await expectSound();
  });
});

const namespaces = canMount();

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--user', '--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!namespaces)('a full disk (needs user namespaces)', patience, () => {
  it('is one clear error, and what was acknowledged stays', async () => {
    const script = new URL('./block-store-full-disk.ts', import.meta.url).pathname;
    const mount = `mount -t tmpfs -o size=8m none "$1" && exec "$2" "$3" "$1"`;
    const args = ['--user', '--map-root-user', '--mount', 'sh', '-c', mount, 'sh', home, process.execPath, script];
    const report = JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }));
    expect(report).toEqual({
      block: 'keep/no-space: no space left to write a block',
      adopted: 'keep/no-space: no space left to store a file',
      copied: 'keep/no-space: no space left to store a file',
      tree: expect.stringMatching(/^keep\/no-space: no space left to lay out collection [0-9a-f]{32}\+\d+$/),
      lost: [],
      temporary: 0,
      after: 'ok',
    });
  });
});
