import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { liveLogDir } from '../../src/crunch/logs/container-logs.ts';
import { ownerKey } from '../../src/crunch/owner.ts';
import { reapLeftovers } from '../../src/crunch/reap.ts';
import { createFakeExecutor } from '../fakes/executor.ts';
import { createSetting, onHost, type Setting, withImage } from './crunch-setting.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await createSetting();
});
afterEach(() => setting.close());

test('what a container says can be read while it runs', async () => {
  const container = await setting.api.addContainer({});
  const live = liveLogDir(setting.deps.workDir, container.uuid);
  expect(live.endsWith(container.uuid)).toBe(true);
  const go = join(setting.directory, 'go');
  const running = setting.run(onHost(`echo early; while ! [ -e ${go} ]; do sleep 0.02; done; echo late`));
  const text = await until(() => {
    const [uuid] = readdirSync(join(setting.deps.workDir, 'logs'));
    return readFileSync(join(setting.deps.workDir, 'logs', uuid ?? '', 'stdout.txt'), 'utf8');
  });
  expect(text).toMatch(/^\S+Z early\n$/);
  writeFileSync(go, '');
  const log = await setting.readLog(await running);
  expect(log['stdout.txt']).toMatch(/^\S+Z early\n\S+Z late\n$/);
  expect(readdirSync(join(setting.deps.workDir, 'logs'))).toEqual([]);
});

test('binary, and a line longer than memory would like, pass through as they are', async () => {
  const megabytes = 64;
  const before = process.memoryUsage().rss;
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  const container = await setting.run(onHost(`head -c ${megabytes}000000 /dev/zero; echo; printf '\\377\\000\\n'`));
  clearInterval(watch);
  const output = await setting.deps.collections.byPortableDataHash(container.log ?? ('' as never));
  expect(output.files.get('stdout.txt')?.sizeBytes).toBe(megabytes * 1_000_000 + 1 + 3 + 2 * 31);
  expect(peak - before).toBeLessThan(megabytes * 1_000_000 * 2);
});

test('usage is sampled while it runs', async () => {
  const container = await setting.run(withImage(['sleep', '0.2']), { deps: { sampleIntervalMs: 20 } });
  const samples = (await setting.readLog(container))['crunchstat.txt'] ?? '';
  expect(samples.match(/ mem 1000 peak\n/g)?.length).toBeGreaterThan(1);
});

test('the record itself is in the log, its secrets are not', async () => {
  const container = await setting.run(onHost('true', { environment: { A: 'b' } }));
  const log = await setting.readLog(container);
  expect(JSON.parse(log['container.json'] ?? '')).toMatchObject({ environment: { A: 'b' } });
  expect(log['container.json']).not.toContain('secret_mounts');
});

test('what dead owners left is cleared, what lives is kept', async () => {
  const { workDir } = setting.deps;
  const secretDir = join(setting.directory, 'memory');
  const dead = `${ownerKey().slice(0, 8)}.4194305.1`;
  const otherBoot = `00000000.${process.pid}.1`;
  const make = (root: string, owner: string): void => {
    mkdirSync(join(root, owner, 'zzzzz-dz642-000000000000001.secrets'), { recursive: true });
    writeFileSync(join(root, owner, 'zzzzz-dz642-000000000000001.secrets/secret-1'), 'hunter2', { mode: 0o400 });
  };
  for (const root of [join(workDir, 'scratch'), secretDir]) {
    for (const owner of [dead, otherBoot, ownerKey()]) make(root, owner);
  }
  mkdirSync(join(workDir, 'scratch', dead, 'zzzzz-dz642-000000000000001.podman'));
  const used = { sandbox: createFakeExecutor(), podman: createFakeExecutor({ name: 'podman' }) };
  const all = Object.values(used);
  for (const owner of [dead, otherBoot, ownerKey()]) {
    for (const executor of all) executor.open.add(`zzzzz-dz642-000000000000001.${owner}`);
  }
  await reapLeftovers({ ...setting.deps, secretDir, executors: (name) => used[name as keyof typeof used] });
  expect(readdirSync(join(workDir, 'scratch'))).toEqual([ownerKey()]);
  expect(readdirSync(secretDir)).toEqual([ownerKey()]);
  for (const { open } of all) expect([...open]).toEqual([`zzzzz-dz642-000000000000001.${ownerKey()}`]);
});

test('a live log goes once a saved one is named, and stays while it is all there is', async () => {
  const saved = await setting.run(onHost('true'));
  const running = await setting.api.addContainer({});
  for (const { uuid } of [saved, running]) mkdirSync(liveLogDir(setting.deps.workDir, uuid), { recursive: true });
  await reapLeftovers(setting.deps);
  expect(readdirSync(join(setting.deps.workDir, 'logs'))).toEqual([running.uuid]);
});

async function until(read: () => string): Promise<string> {
  for (;;) {
    try {
      const text = read();
      if (text !== '') return text;
    } catch {
      // Not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
