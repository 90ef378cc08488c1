import { cwlError } from '../../cwl/errors.ts';
import type { Fetcher } from '../../cwl/port.ts';

/** Passes each URI to the fetcher of its scheme (`file`, `http`, …). */
export function createFetcherByScheme(fetchers: Readonly<Record<string, Fetcher>>): Fetcher {
  const find = (uri: string): Fetcher | undefined => {
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1]?.toLowerCase();
    return scheme !== undefined && Object.hasOwn(fetchers, scheme) ? fetchers[scheme] : undefined;
  };
  return {
    async fetchText(uri) {
      const fetcher = find(uri);
      if (fetcher) return fetcher.fetchText(uri);
      const schemes = Object.keys(fetchers).map((scheme) => `${scheme}:`);
      throw cwlError('cwl/fetch-refused', `cannot read ${uri}: expected a URI that starts with ${schemes.join(', ')}`);
    },
    async exists(uri) {
      return (await find(uri)?.exists(uri)) ?? false;
    },
  };
}
