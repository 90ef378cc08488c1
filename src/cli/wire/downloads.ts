import type { ClusterApi } from '../../api/port.ts';
import type { BlockStore } from '../../keep/port.ts';
import type { AskUrl, Downloads } from '../../run/downloads/port.ts';
import type { Reach } from './documents.ts';

export interface DownloadSettings {
  readonly reach: Reach;
  /** How long a server may be silent. */
  readonly timeoutMs: number;
  readonly preferKept: boolean;
  readonly varyingParameters: readonly string[];
}

/** Inputs of the web; loaded with the first. */
export function lazyDownloads(
  cluster: { readonly api: ClusterApi; readonly blocks: BlockStore },
  { reach, timeoutMs, ...rules }: DownloadSettings,
): Downloads {
  let loaded: Promise<Downloads> | undefined;
  const load = async (): Promise<Downloads> => {
    const [{ createDownloads }, { createAsker }] = await Promise.all([
      import('../../run/downloads/downloads.ts'),
      import('../../adapters/fetch/ask.ts'),
    ]);
    const ask: AskUrl = createAsker({ trusts: reach.trustsUrl, timeoutMs });
    return createDownloads({ ...cluster, ...rules, ask, nowMs: Date.now });
  };
  const open = (): Promise<Downloads> => {
    loaded ??= load();
    return loaded;
  };
  return {
    fetch: async (url, signal) => (await open()).fetch(url, signal),
    fetchDated: async (url, wants) => (await open()).fetchDated(url, wants),
    exists: async (url) => (await open()).exists(url),
  };
}
