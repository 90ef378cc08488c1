import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { DiscoverOptions } from '../job/inputs/discover.ts';
import type { Downloads } from '../run/downloads/port.ts';
import type { RunServices } from '../run/run-process.ts';
import { type WireOptions, withCluster } from './wire/cluster.ts';
import { createJsEngine } from './wire/documents.ts';
import { type DownloadSettings, lazyDownloads } from './wire/downloads.ts';
import { type EngineOptions, withEngine } from './wire/engine.ts';
import { gitReader } from './wire/git.ts';
import type { ClusterHandle } from './wire/handle.ts';
import { createResolveDigest, createSaveImage } from './wire/images.ts';

export interface SessionOptions extends EngineOptions, WireOptions {
  readonly evalTimeoutMs: number;
  readonly downloads: DownloadSettings;
}

export interface Session {
  /** Aborted when its containers cannot be run any more. */
  readonly failed: AbortSignal;
  readonly cluster: ClusterHandle;
  readonly services: Omit<RunServices, 'emit' | 'gitFacts' | 'fitsFormat'>;
}

/** Everything that a run needs, for as long as `task` runs: cluster, dispatcher, expressions. */
export async function withSession<T>(options: SessionOptions, task: (session: Session) => Promise<T>): Promise<T> {
  return withCluster(async (cluster) => {
    const engine = createJsEngine();
    const downloads = lazyDownloads(cluster, options.downloads);
    const services = {
      api: cluster.api,
      blocks: cluster.blocks,
      downloads,
      javascript: { engine, timeoutMs: options.evalTimeoutMs },
      probe: createProbe(downloads),
      git: gitReader,
      resolveDigest: createResolveDigest(),
      saveImage: createSaveImage(cluster),
      checkReach: options.downloads.reach.check,
    };
    try {
      return await withEngine(cluster, options, (failed) => task({ cluster, services, failed }));
    } finally {
      await engine.close();
    }
  }, options);
}

/** What is at a location, on this machine or on the web. */
export const createProbe =
  (downloads: Downloads): DiscoverOptions['probe'] =>
  async (location) => {
    if (/^https?:/.test(location)) return (await downloads.exists(location)) ? 'File' : undefined;
    if (!location.startsWith('file:')) return undefined;
    const found = await stat(fileURLToPath(location)).catch(() => undefined);
    if (found?.isFile()) return 'File';
    return found?.isDirectory() ? 'Directory' : undefined;
  };
