import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { describeLayerCache } from '../../../../test/contract/layer-cache.ts';
import { file } from '../../../../test/contract/layers.ts';
import { digestOf } from '../../streams.ts';
import { createDiskLayerCache } from './disk.ts';
import { writeMembers } from './members.ts';
import { createMemoryLayerCache } from './memory.ts';

const scratch = mkdtempSync(join(tmpdir(), 'layer-cache-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const newDir = () => mkdtempSync(join(scratch, 'c-'));
const key = (text: string) => digestOf(Buffer.from(text));

describeLayerCache('memory', async () => {
  const cache = createMemoryLayerCache();
  return { cache, reopen: () => cache };
});
describeLayerCache('disk', async () => {
  const dir = newDir();
  return { cache: createDiskLayerCache(dir), reopen: () => createDiskLayerCache(dir) };
});

describe('disk layer cache', () => {
  const putText = (dir: string, name: string, text = name) =>
    createDiskLayerCache(dir).put(key(name), writeMembers([file('f', text)]));
  const blobs = (dir: string) => readdirSync(join(dir, 'blobs'));

  it('finds flipped bits, names the layer and makes room for a new one', async () => {
    const dir = newDir();
    await putText(dir, 'a');
    const [name = ''] = blobs(dir);
    const path = join(dir, 'blobs', name);
    const bytes = readFileSync(path);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const cache = createDiskLayerCache(dir);
    const layer = await cache.get(key('a'));
    const read = async () => Array.fromAsync((await layer?.open()) ?? []);
    await expect(read()).rejects.toMatchObject({ code: 'image/blob-damaged', message: expect.stringContaining(name) });
    expect(await cache.get(key('a'))).toBeUndefined();
  });

  it.each(['', '{', '{"diffId":"x"}'])('takes a key file that holds %j for no key', async (text) => {
    const dir = newDir();
    await putText(dir, 'a');
    writeFileSync(join(dir, 'keys', key('a').slice(7)), text);
    expect(await createDiskLayerCache(dir).get(key('a'))).toBeUndefined();
  });

  it('takes a cut blob for none', async () => {
    const dir = newDir();
    await putText(dir, 'a');
    writeFileSync(join(dir, 'blobs', blobs(dir)[0] ?? ''), 'short');
    expect(await createDiskLayerCache(dir).get(key('a'))).toBeUndefined();
  });

  it('prunes the keys that were not asked for the longest, and what nobody names', async () => {
    const dir = newDir();
    const cache = createDiskLayerCache(dir);
    const noise = (seed: string) => Array.from({ length: 300 }, (_, at) => digestOf(Buffer.from(seed + at))).join('');
    for (const name of ['old', 'kept', 'orphan']) await putText(dir, name, noise(name));
    rmSync(join(dir, 'keys', key('orphan').slice(7)));
    writeFileSync(join(dir, 'tmp', 'left-by-a-crash'), 'x');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const kept = await cache.get(key('kept'));
    const options = { maxBytes: (kept?.descriptor.size ?? 0) + 10, graceMs: 0, nowMs: Date.now() + 1000 };
    expect(await cache.prune(options)).toBeGreaterThan(0);
    expect(await cache.get(key('old'))).toBeUndefined();
    expect(await cache.get(key('kept'))).toBeDefined();
    expect([blobs(dir).length, readdirSync(join(dir, 'tmp'))]).toEqual([1, []]);
  });

  it('prunes nothing that is younger than the grace', async () => {
    const dir = newDir();
    await putText(dir, 'a');
    expect(await createDiskLayerCache(dir).prune({ maxBytes: 0 })).toBe(0);
    expect(await createDiskLayerCache(dir).get(key('a'))).toBeDefined();
  });

  it('holds each layer whole or not at all after its writer is killed', async () => {
    const dir = newDir();
    const script = `
      import { Readable } from 'node:stream';
      import { createDiskLayerCache } from ${JSON.stringify(join(import.meta.dirname, 'disk.ts'))};
      import { digestOf } from ${JSON.stringify(join(import.meta.dirname, '../../streams.ts'))};
      const cache = createDiskLayerCache(${JSON.stringify(dir)});
      for (let n = 0; ; n += 1) {
        await cache.put(digestOf(Buffer.from('k' + n)), Readable.from([Buffer.alloc(50_000, n), Buffer.alloc(50_000, n + 1)]));
        if (n === 5) console.log('going');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const cache = createDiskLayerCache(dir);
    const found = readdirSync(join(dir, 'keys'));
    expect(found.length).toBeGreaterThan(5);
    for (const [n] of found.entries()) {
      const layer = await cache.get(key(`k${n}`));
      if (layer) await expect(Array.fromAsync(await layer.open())).resolves.toBeDefined();
    }
    const again = await cache.put(key('k0'), Readable.from([Buffer.alloc(50_000, 0), Buffer.alloc(50_000, 1)]));
    expect(again.diffId).toBe((await cache.get(key('k0')))?.diffId);
  });
});
