import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseReference } from './reference.ts';
import { openSystemRegistryClient } from './system-client.ts';

const home = mkdtempSync(join(tmpdir(), 'system-client-'));
afterAll(() => rmSync(home, { recursive: true }));

it('obeys registries.conf and the proxy of the environment', async () => {
  const asked: (string | undefined)[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const conf = join(home, 'registries.conf');
  writeFileSync(conf, '[[registry]]\nlocation = "registry.test"\ninsecure = true\n');
  try {
    const env = {
      CONTAINERS_REGISTRIES_CONF: conf,
      HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      NO_PROXY: '',
    };
    const client = await openSystemRegistryClient({ env, homeDir: home });
    await expect(client.resolve(parseReference('registry.test/app:v1'))).rejects.toMatchObject({
      code: 'image/not-found',
    });
    expect(asked).toContain('http://registry.test/v2/app/manifests/v1');
  } finally {
    proxy.close().closeAllConnections();
  }
});
