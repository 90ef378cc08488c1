import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFetcherByScheme } from '../../adapters/fetch/by-scheme.ts';
import { checkInside, createFileFetcher } from '../../adapters/fetch/file.ts';
import type { Fetcher, JsEngine } from '../../cwl/port.ts';

export interface ReachOptions {
  /** Folders that documents may read besides their own. */
  readonly allowRead?: readonly string[] | undefined;
  readonly allowPrivateNetwork?: boolean | undefined;
}

/**
 * What documents may read. What the user names is trusted, and with it what lies around: the repository, the current
 * folder or the folder that a file lies in, the server that a URL names. Elsewhere only public addresses are read.
 */
export interface Reach {
  readonly fetcher: Fetcher;
  /** The user named it. */
  trust(uri: string): void;
  /** Fails with `cwl/fetch-refused` where documents may not read the file or folder at a `file:` URI. */
  check(uri: string): Promise<void>;
  /** Whether a URL may lead to this machine or a private network. */
  trustsUrl(url: URL): boolean;
}

export function createReach(options: ReachOptions = {}): Reach {
  const roots = [...(options.allowRead ?? [])];
  const origins = new Set<string>();
  const trustsUrl = (url: URL): boolean => options.allowPrivateNetwork === true || origins.has(url.origin);
  let web: Promise<Fetcher> | undefined;
  const openWeb = (): Promise<Fetcher> => {
    web ??= import('../../adapters/fetch/http.ts').then((module) => module.createHttpFetcher({ trusts: trustsUrl }));
    return web;
  };
  const lazyWeb: Fetcher = {
    fetchText: async (uri) => (await openWeb()).fetchText(uri),
    exists: async (uri) => (await openWeb()).exists(uri),
  };
  return {
    fetcher: createFetcherByScheme({ file: createFileFetcher({ roots }), http: lazyWeb, https: lazyWeb }),
    trust(uri) {
      if (uri.startsWith('file:')) roots.push(rootOf(fileURLToPath(uri)));
      else if (/^https?:/.test(uri)) origins.add(new URL(uri).origin);
    },
    check: (uri) => checkInside(uri, roots),
    trustsUrl,
  };
}

/** What lies at the root of a repository; one that was unpacked from an archive has no `.git`. */
const rootMarks = [
  '.git',
  '.github',
  '.gitignore',
  '.dockstore.yml',
  'LICENSE',
  'LICENSE.md',
  'LICENSE.txt',
  'ro-crate-metadata.json',
];

/** The outermost folder that belongs together with a file. A home folder is none: it holds all that a user has. */
function rootOf(path: string): string {
  const folder = dirname(path);
  for (let above = folder; above !== dirname(above) && above !== process.env.HOME; above = dirname(above))
    if (rootMarks.some((mark) => existsSync(join(above, mark)))) return above;
  const here = process.cwd();
  return folder === here || folder.startsWith(here + sep) ? here : folder;
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
