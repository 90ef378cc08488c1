import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';

/** `container first, host first, count`: one line of user_namespaces(7) `uid_map`. */
export type IdRange = readonly [inside: number, outside: number, count: number];

/**
 * How the ids of a container become ids of this machine.
 * - `identity`: we are root; every id is itself, so extracted layers have their true owners.
 * - `subordinate`: 0 is the caller, 1… are the caller's subordinate ids of subuid(5), set by `newuidmap`.
 * - `single`: 0 is the caller and there is no other id.
 */
export type IdMap =
  | { readonly kind: 'identity' | 'subordinate'; readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] }
  | { readonly kind: 'single' };

export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
}

export function currentCaller(): Caller {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return { uid, gid, userName: nameOfCaller() };
}

/** Empty for an id that no table of users lists, as batch systems and other containers start processes with. */
function nameOfCaller(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

export interface IdSources {
  readonly ownUidMap: string;
  readonly ownGidMap: string;
  readonly subuid: string;
  readonly subgid: string;
  readonly hasNewuidmap: boolean;
}

export async function readIdSources(hasNewuidmap: boolean): Promise<IdSources> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const [ownUidMap, ownGidMap, subuid, subgid] = await Promise.all(
    ['/proc/self/uid_map', '/proc/self/gid_map', '/etc/subuid', '/etc/subgid'].map(read),
  );
  return {
    ownUidMap: ownUidMap ?? '',
    ownGidMap: ownGidMap ?? '',
    subuid: subuid ?? '',
    subgid: subgid ?? '',
    hasNewuidmap,
  };
}

export function planIdMap(caller: Caller, sources: IdSources): IdMap {
  if (caller.uid === 0) {
    return { kind: 'identity', uids: toIdentity(sources.ownUidMap), gids: toIdentity(sources.ownGidMap) };
  }
  const uids = toSubordinate(sources.subuid, caller, caller.uid);
  const gids = toSubordinate(sources.subgid, caller, caller.gid);
  if (!sources.hasNewuidmap || uids.length < 2 || gids.length < 2) return { kind: 'single' };
  return { kind: 'subordinate', uids, gids };
}

/** Every id that exists where we are, as itself. */
function toIdentity(ownMap: string): IdRange[] {
  return ownMap
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([inside = 0, , count = 0]): IdRange => [inside, inside, count]);
}

/** subuid(5): `name or uid:first:count`. */
function toSubordinate(table: string, caller: Caller, self: number): IdRange[] {
  const ranges: IdRange[] = [[0, self, 1]];
  let next = 1;
  for (const line of table.split('\n')) {
    const [owner, first, count] = line.trim().split(':');
    if ((owner !== caller.userName || owner === '') && owner !== String(caller.uid)) continue;
    const size = Number(count);
    if (!Number.isSafeInteger(size) || size <= 0) continue;
    ranges.push([next, Number(first), size]);
    next += size;
  }
  return ranges;
}
