import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { DiscoverOptions } from '../job/discover.ts';
import type { RunServices } from '../run/run-process.ts';
import { type WireOptions, withCluster } from './wire/cluster.ts';
import { createJsEngine } from './wire/documents.ts';
import { type EngineOptions, withEngine } from './wire/engine.ts';
import { gitReader } from './wire/git.ts';
import type { ClusterHandle } from './wire/handle.ts';
import { createResolveDigest, createSaveImage } from './wire/images.ts';

export interface SessionOptions extends EngineOptions, WireOptions {
  readonly evalTimeoutMs: number;
}

export interface Session {
  readonly cluster: ClusterHandle;
  readonly services: Omit<RunServices, 'emit' | 'gitFacts' | 'fitsFormat'>;
}

/** Everything that a run needs, for as long as `task` runs: cluster, dispatcher, expressions. */
export async function withSession<T>(options: SessionOptions, task: (session: Session) => Promise<T>): Promise<T> {
  return withCluster(async (cluster) => {
    const engine = createJsEngine();
    const services = {
      api: cluster.api,
      blocks: cluster.blocks,
      javascript: { engine, timeoutMs: options.evalTimeoutMs },
      probe,
      git: gitReader,
      resolveDigest: createResolveDigest(),
      saveImage: createSaveImage(cluster),
    };
    try {
      return await withEngine(cluster, options, () => task({ cluster, services }));
    } finally {
      await engine.close();
    }
  }, options);
}

/** What is at a location on this machine. */
export const probe: DiscoverOptions['probe'] = async (location) => {
  const found = await stat(fileURLToPath(location)).catch(() => undefined);
  if (found?.isFile()) return 'File';
  return found?.isDirectory() ? 'Directory' : undefined;
};
