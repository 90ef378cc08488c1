import { isJsonObject } from '../../core/json.ts';

/**
 * What a server said of a download, as arvados-cwl-runner keeps it in a property of the collection, under the URL
 * (`sdk/python/arvados/_internal/to_keep_util.py`).
 */
export type KeptHeaders = Readonly<Record<string, string>>;

const keptNames = ['Cache-Control', 'Etag', 'Expires', 'Date', 'Content-Length', 'Last-Modified'] as const;

export function toKeptHeaders(headers: Readonly<Record<string, string | undefined>>, nowMs: number): KeptHeaders {
  const kept = keptNames.flatMap((name) => {
    const value = headers[name.toLowerCase()];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { Date: new Date(nowMs).toUTCString(), ...Object.fromEntries(kept) };
}

/** Under the key `url` of a collection's properties; undefined where there is nothing of the kind. */
export function readKeptHeaders(properties: Readonly<Record<string, unknown>>, url: string): KeptHeaders | undefined {
  const found = properties[url];
  if (!isJsonObject(found)) return undefined;
  const texts = Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts.map(([name, value]) => [name === 'ETag' ? 'Etag' : name, value]));
}

/**
 * Whether a download may be used without asking (RFC 9111, section 4.2). Where the server did not say how long, it is asked:
 * arvados-cwl-runner would trust a day.
 */
export function isFresh(kept: KeptHeaders, nowMs: number): boolean {
  const control = kept['Cache-Control'] ?? '';
  if (/\bno-(store|cache)\b/i.test(control)) return false;
  if (/\bimmutable\b/i.test(control)) return true;
  const age = /\b(?:s-maxage|max-age)=(\d+)/i.exec(control)?.[1];
  const expiresMs = age === undefined ? parseDate(kept.Expires) : parseDate(kept.Date) + Number(age) * 1000;
  return nowMs < expiresMs;
}

/**
 * What is known after the server was asked about a file that stayed the same. A file is as old as it was said to be first: servers that
 * date each answer would make a new one of it every time.
 */
export function updateKeptHeaders(kept: KeptHeaders, now: KeptHeaders): KeptHeaders {
  const modified = kept['Last-Modified'] ?? now['Last-Modified'];
  return { ...kept, ...now, ...(modified !== undefined && { 'Last-Modified': modified }) };
}

/** Seconds since the epoch; nothing is older than that. */
export function modifiedSecondsOf(kept: KeptHeaders): number | undefined {
  const seconds = Math.floor(parseDate(kept['Last-Modified']) / 1000);
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** An HTTP-date; what is none, such as the usual `0`, is no time at all. */
const parseDate = (text = ''): number => (/ GMT$/.test(text) ? Date.parse(text) : Number.NaN);

/** The URL without the parameters that do not tell files apart, such as signatures. */
export function withoutParameters(url: string, varying: readonly string[]): string {
  if (varying.length === 0) return url;
  const cleaned = new URL(url);
  for (const name of varying) cleaned.searchParams.delete(name);
  return cleaned.href;
}
