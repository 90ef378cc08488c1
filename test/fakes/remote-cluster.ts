import { afterEach } from 'vitest';
import { createHttpClient } from '../../src/arvados/http.ts';
import { createHttpKeep } from '../../src/arvados/keep/http-store.ts';
import { toServices } from '../../src/arvados/keep/services.ts';
import { createSignatures } from '../../src/arvados/keep/signatures.ts';
import { type ArvadosCluster, openArvados } from '../../src/arvados/open.ts';
import { openCluster } from '../../src/cluster/cluster.ts';
import { serveCluster } from '../../src/cluster/http/server.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createMemoryBlockStore } from '../../src/keep/memory-store.ts';
import type { BlockStore } from '../../src/keep/port.ts';

export const token = 'the-token';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** An embedded cluster behind its HTTP face, until the test ends. */
export async function startFace() {
  const cluster = openCluster({ path: ':memory:' });
  const blocks = createMemoryBlockStore();
  const face = await serveCluster({ cluster, blocks, token, logger: silentLogger });
  cleanups.push(() => cluster.close(), face.close);
  return { cluster, blocks, url: face.url };
}

/** A client of a face of its own, or of the one at `url`. */
export async function openRemote(url?: string): Promise<ArvadosCluster> {
  const settings = { url: url ?? (await startFace()).url, token, insecure: false, keepServices: [] };
  const options = { logger: silentLogger, retryDelaysMs: [1, 1], pollMs: { least: 5, most: 20 } };
  const cluster = await openArvados(settings, options);
  cleanups.push(cluster.close);
  return cluster;
}

/** The block store of a face of its own. */
export async function openRemoteKeep(): Promise<BlockStore> {
  const { url } = await startFace();
  const http = createHttpClient({ insecure: false });
  cleanups.push(http.close);
  const retry = { delaysMs: [], logger: silentLogger };
  return createHttpKeep({
    http,
    token,
    services: async () => toServices([url]),
    copies: 1,
    retry,
    signatures: createSignatures(),
  });
}
