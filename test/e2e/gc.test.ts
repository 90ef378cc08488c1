import { hash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createScratchBlockStore } from '../../src/keep/disk/scratch-store.ts';
import { parseManifest } from '../../src/keep/manifest.ts';
import { sandboxFolder } from '../contract/one-id.ts';
import { prepare } from './kill.ts';
import { createRunner, type Runner, type Served, serve, startToolsRegistry } from './runner.ts';

/** What the clock of a file system may lag behind: nothing younger is ever unused. */
const slackMs = 2_100;

interface FreedKind {
  readonly kind: string;
  readonly count: number;
  readonly bytes: number;
}

async function collect(runner: Runner, ...flags: string[]): Promise<readonly FreedKind[]> {
  const { exitCode, stdout, stderr } = await runner.run(['gc', '--json', ...flags]);
  expect({ exitCode, stderr: stderr.replace('dry run: nothing was removed\n', '') }).toEqual({
    exitCode: 0,
    stderr: '',
  });
  return (JSON.parse(stdout) as { freed: readonly FreedKind[] }).freed.filter(({ count }) => count > 0);
}

/** Blocks that a collection names and that are not there. Only looked for: who opens the store is one whose things stay. */
async function lostBlocks(runner: Runner): Promise<string[]> {
  const keep = createScratchBlockStore(join(runner.home, 'keep'));
  const lost: string[] = [];
  const list = { select: ['uuid', 'manifest_text'], limit: 10_000 };
  const { items } = await runner.withRecords((cluster) => cluster.list('collections', list));
  for (const { uuid, manifest_text } of items) {
    for (const { segments, path } of parseManifest(manifest_text).files.values())
      for (const { locator } of segments) if (!(await keep.has(locator))) lost.push(`${uuid}/${path}: ${locator}`);
  }
  return lost;
}

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

describe('gc', { timeout: 300_000 }, () => {
  let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
  let runner: Runner;
  let args: readonly string[];
  const cached = (name: string) => namesIn(join(runner.home, name.replace('sandbox/', `sandbox/${sandboxFolder}/`)));

  beforeAll(async () => {
    registry = await startToolsRegistry();
    runner = createRunner('gc');
    args = prepare(runner, registry.tools);
    expect(await runner.run(args)).toMatchObject({ exitCode: 0 });
  });
  afterAll(async () => {
    await registry.close();
    await runner.remove();
  });

  it('leaves what was used lately', async () => {
    expect(await collect(runner)).toEqual([]);
    expect(await runner.run(['gc'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^kind .*\nall +0 +0 B\n$/),
    });
  });

  it.each([
    ['gc: expected flags alone, got "x"', ['x']],
    ['--unused-for: expected a number and a unit, got "soon"', ['--unused-for', 'soon']],
    ["unknown option '--all'", ['--all']],
  ])('refuses %s', async (message, flags) => {
    const { exitCode, stderr } = await runner.run(['gc', ...flags]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
  });

  it('says what would go, then removes just that, and no result with it', async () => {
    await sleep(slackMs);
    const before = await runner.run(['provenance', join(runner.folder, 'out/all.txt'), '--json']);
    const flags = ['--unused-for', '0s', '--blocks'];
    const counted = await collect(runner, ...flags, '--dry-run');
    expect(counted.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['unpacked images', 'laid out collections']),
    );
    expect(cached('sandbox/layers')).not.toEqual([]);
    expect(await collect(runner, ...flags)).toEqual(counted);
    for (const name of ['sandbox/layers', 'sandbox/images', 'keep/trees']) expect(cached(name)).toEqual([]);
    expect(await lostBlocks(runner)).toEqual([]);
    const after = await runner.run(['provenance', join(runner.folder, 'out/all.txt'), '--json']);
    expect(JSON.parse(after.stdout)).toEqual(JSON.parse(before.stdout));
  });

  it('costs the next run nothing but the caches', async () => {
    const reused = await runner.run(args);
    expect(reused).toMatchObject({ exitCode: 0 });
    expect(cached('sandbox/layers')).toEqual([]);
    const containers = () => runner.withRecords((cluster) => cluster.list('containers', { limit: 1_000 }));
    const before = await containers();
    expect(await runner.run(['--disable-reuse', ...args])).toMatchObject({ exitCode: 0 });
    expect(cached('sandbox/layers')).not.toEqual([]);
    const made = (await containers()).items.slice(0, -before.items.length);
    expect(made.filter(({ command }) => command[1] === 'pull')).toEqual([]);
  });

  it('takes blocks that no collection names, only when it is asked, and none of a process that lives', async () => {
    const flags = ['--unused-for', '0s'];
    const isThere = async (text: string) => existsSync(join(runner.home, 'keep', md5(text).slice(0, 3), md5(text)));
    const first = await serve(runner);
    for (const text of ['stored once', 'stored again']) await put(first, text);
    await first.stop();
    await sleep(slackMs);
    const second = await serve(runner);
    try {
      await put(second, 'stored again');
      await put(second, 'stored late');
      await sleep(slackMs);
      await collect(runner, ...flags);
      expect(await isThere('stored once')).toBe(true);
      expect(await collect(runner, ...flags, '--blocks')).toMatchObject([
        { kind: 'blocks without a collection', count: 1 },
      ]);
      expect(await Promise.all(['stored once', 'stored again', 'stored late'].map(isThere))).toEqual([
        false,
        true,
        true,
      ]);
    } finally {
      await second.stop();
    }
    await sleep(slackMs);
    expect(await collect(runner, ...flags, '--blocks')).toMatchObject([
      { kind: 'blocks without a collection', count: 2 },
    ]);
  });

  it('may be killed at any time, beside runs that start and end', async () => {
    const flags = ['gc', '--unused-for', '0s', '--blocks'];
    let isOver = false;
    let kills = 0;
    const killing = async () => {
      while (!isOver) {
        const { child, ended } = runner.start(flags);
        await Promise.race([ended, sleep(200 + Math.random() * 600)]);
        if (child.kill('SIGKILL')) kills += 1;
        await ended;
      }
    };
    const collecting = async () => {
      while (!isOver) expect(await runner.run(flags)).toMatchObject({ exitCode: 0, stderr: '' });
    };
    const loops = [killing(), collecting()];
    for (let round = 0; round < 3; round += 1) {
      const { exitCode, stderr } = await runner.run(['--disable-reuse', ...args]);
      expect({ round, exitCode, stderr }).toMatchObject({ exitCode: 0 });
    }
    isOver = true;
    await Promise.all(loops);
    expect(kills).toBeGreaterThan(0);
    expect(await lostBlocks(runner)).toEqual([]);
    await sleep(slackMs);
    await runner.run(flags);
    for (const name of ['sandbox/layers', 'sandbox/images', 'keep/trees']) expect(cached(name)).toEqual([]);
    expect(await runner.run(args)).toMatchObject({ exitCode: 0 });
  });
});

const md5 = (text: string): string => hash('md5', text, 'hex');

async function put({ env }: Served, text: string): Promise<void> {
  const headers = { authorization: `Bearer ${env.ARVADOS_API_TOKEN}` };
  const { status } = await fetch(`${env.ARVADOS_API_HOST}/${md5(text)}`, { method: 'PUT', body: text, headers });
  expect(status).toBe(200);
}
