import { isPortableDataHash, type PortableDataHash } from '../core/ids.ts';
import { keepError } from './errors.ts';

/** A file or directory in a collection; `path` is unescaped, `''` for the collection itself. */
export interface KeepLocation {
  readonly portableDataHash: PortableDataHash;
  readonly path: string;
}

/** `keep:PDH/path`, escaped as Arvados' Python clients do: all but letters, digits and `_.-~/:+@`. */
export function formatKeepLocation(portableDataHash: PortableDataHash, path = ''): string {
  return path === '' ? `keep:${portableDataHash}` : `keep:${portableDataHash}/${escapePath(path)}`;
}

/** Fails with `keep/bad-path` when it is no `keep:PDH[/path]` or its path leaves the collection. */
export function parseKeepLocation(location: string): KeepLocation {
  const match = /^keep:([0-9a-f]{32}\+\d+)(?:\/(.*))?$/s.exec(location);
  const hash = match?.[1] ?? '';
  if (!isPortableDataHash(hash)) throw badLocation(location, 'expected "keep:<portable data hash>/<path>"');
  const path = unescapePath(match?.[2] ?? '', location).replace(/\/+$/, '');
  if (path === '') return { portableDataHash: hash, path };
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..' || part.includes('\0')) {
      throw badLocation(location, `expected a plain path, got the part ${JSON.stringify(part)}`);
    }
  }
  return { portableDataHash: hash, path };
}

export const isKeepLocation = (location: string | undefined): location is string =>
  location?.startsWith('keep:') ?? false;

function escapePath(path: string): string {
  return encodeURIComponent(path)
    .replace(/%(2F|3A|2B|40)/g, (code) => decodeURIComponent(code))
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function unescapePath(path: string, location: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw badLocation(location, 'its percent escapes are not UTF-8');
  }
}

function badLocation(location: string, problem: string) {
  return keepError('keep/bad-path', `bad keep location ${JSON.stringify(location.slice(0, 200))}: ${problem}`, {
    hint: 'write it as keep:<md5>+<length>/<path>, with % escapes for other characters',
  });
}
