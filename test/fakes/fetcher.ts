import { cwlError } from '../../src/cwl/errors.ts';
import type { Fetcher } from '../../src/cwl/port.ts';

/** Reads from a mapping of URIs to texts. */
export function createMemoryFetcher(texts: Readonly<Record<string, string>>): Fetcher {
  return {
    async fetchText(uri) {
      const text = Object.hasOwn(texts, uri) ? texts[uri] : undefined;
      if (text === undefined) throw cwlError('cwl/not-found', `nothing at ${uri}`);
      return text;
    },
    async exists(uri) {
      return Object.hasOwn(texts, uri);
    },
  };
}
