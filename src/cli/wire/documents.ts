import { createFetcherByScheme } from '../../adapters/fetch/by-scheme.ts';
import { createFileFetcher } from '../../adapters/fetch/file.ts';
import type { Fetcher, JsEngine } from '../../cwl/port.ts';

/** Reads documents: files of this machine, and public web addresses. */
export function createFetcher(): Fetcher {
  let web: Promise<Fetcher> | undefined;
  const openWeb = (): Promise<Fetcher> => {
    web ??= import('../../adapters/fetch/http.ts').then((module) => module.createHttpFetcher());
    return web;
  };
  const lazyWeb: Fetcher = {
    fetchText: async (uri) => (await openWeb()).fetchText(uri),
    exists: async (uri) => (await openWeb()).exists(uri),
  };
  return createFetcherByScheme({ file: createFileFetcher(), http: lazyWeb, https: lazyWeb });
}

/** JavaScript starts with the first expression that needs it. */
export function createJsEngine(): JsEngine {
  let engine: Promise<JsEngine> | undefined;
  return {
    async evaluate(request) {
      engine ??= import('../../adapters/js/engine.ts').then((module) => module.createJsEngine());
      return (await engine).evaluate(request);
    },
    async close() {
      await (await engine)?.close();
    },
  };
}
