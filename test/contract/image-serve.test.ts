import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { afterAll, expect, it } from 'vitest';
import { planArchive, writeArchive } from '../../src/image/archive/write.ts';
import { parseReference } from '../../src/image/reference.ts';
import { openSystemRegistryClient } from '../../src/image/system-client.ts';
import { smallImage } from '../fakes/registry-images.ts';
import { validateImage } from './validate-image.ts';

const scratch = mkdtempSync(join(tmpdir(), 'image-serve-'));
afterAll(() => rmSync(scratch, { recursive: true }));

it('registry-main serves the archives of a folder until it is told to stop', async () => {
  const image = smallImage('one', 'two');
  const archive = createWriteStream(join(scratch, 'debian.tar'));
  await pipeline(writeArchive(await planArchive(image, ['debian:stable-slim'])), archive);
  const script = join(import.meta.dirname, '../fakes/registry-main.ts');
  const child = spawn(process.execPath, [script, scratch], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const names = [];
    for await (const line of createInterface({ input: child.stdout })) if (names.push(line) === 2) break;
    expect(names.map((name) => name.replace(/^127.0.0.1:\d+/, ''))).toEqual([
      '/library/debian:stable-slim',
      '/debian:stable-slim',
    ]);
    const client = await openSystemRegistryClient({ env: {}, homeDir: scratch });
    for (const name of names) {
      const pulled = await client.openImage(parseReference(name));
      expect(pulled.imageHash).toBe(image.imageHash);
      await validateImage(pulled);
    }
  } finally {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await exited;
  }
});
