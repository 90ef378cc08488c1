import type { LookupFunction } from 'node:net';
import type { Got, OptionsInit } from 'got';
import { cwlError } from '../../cwl/errors.ts';
import { hostOf, isInnerAddress, lookupOuter } from './address.ts';

/** Which addresses may be asked: all public ones, and those of this machine and of private networks that are trusted. */
export interface AddressRules {
  readonly trusts?: (url: URL) => boolean;
}

export const privateHint = 'allow private addresses with --allow-private-network';

/** A client that keeps to the rules, also where it is redirected. The library is loaded with the first call. */
export async function createClient(rules: AddressRules, options: OptionsInit): Promise<Got> {
  const { default: got } = await import('got');
  return got.extend({
    maxRedirects: 5,
    ...options,
    hooks: {
      beforeRequest: [
        (request) => {
          const url = checkUrl(String(request.url), rules);
          request.dnsLookup = rules.trusts?.(url) ? undefined : (outerLookup as never);
        },
      ],
    },
  });
}

const outerLookup: LookupFunction = (hostname, { all, family }, callback) => {
  const wanted = family === 4 || family === 'IPv4' ? 4 : family === 6 || family === 'IPv6' ? 6 : 0;
  lookupOuter(hostname, wanted).then(
    (addresses) => {
      const [first] = addresses;
      if (all) callback(null, [...addresses]);
      else callback(null, first?.address ?? '', first?.family);
    },
    (error: NodeJS.ErrnoException) => callback(error, ''),
  );
};

/** Fails with `cwl/fetch-refused`. */
export function checkUrl(uri: string, { trusts }: AddressRules): URL {
  const url = URL.parse(uri);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw cwlError('cwl/fetch-refused', `expected an http or https URL, got ${JSON.stringify(uri.slice(0, 200))}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw cwlError('cwl/fetch-refused', `URL for ${url.host} holds credentials, which documents may not`);
  }
  if (!trusts?.(url) && (isInnerAddress(hostOf(url)) || hostOf(url) === 'localhost')) {
    throw cwlError('cwl/fetch-refused', `fetching from ${url.host} is not allowed: it is a private address`, {
      hint: privateHint,
    });
  }
  return url;
}

/** The refusal of ours behind an error of the library, where there is one. */
export function refusalOf(error: unknown): unknown {
  const chain = [error, (error as { cause?: unknown }).cause];
  return chain.find((item) => (item as { code?: string } | undefined)?.code?.startsWith('cwl/'));
}
