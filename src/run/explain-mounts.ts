import type { ClusterApi } from '../api/port.ts';
import type { Mount } from '../api/records.ts';
import { isPortableDataHash } from '../core/ids.ts';
import { toCanonicalJson } from '../core/json.ts';
import { redact } from '../image/redact.ts';
import type { CollectionFile } from '../keep/collection.ts';
import { stripHints } from '../keep/locator.ts';
import { readCollection } from './collections.ts';

type Mounts = Readonly<Record<string, Mount>>;

/** Which mount is another, in words; undefined where none is. The size of scratch space is an amount. */
export async function explainMounts(api: ClusterApi, before: Mounts, now: Mounts): Promise<string | undefined> {
  for (const [target, mount] of Object.entries(now)) {
    const earlier = before[target];
    if (earlier?.kind === 'tmp' && mount.kind === 'tmp') continue;
    if (toCanonicalJson(earlier ?? null) === toCanonicalJson(mount)) continue;
    if (mount.kind === 'text') return `text of ${target} changed`;
    return `${nameOf(target)} changed${await explainContent(api, earlier, mount)}`;
  }
  return Object.keys(before).some((target) => !(target in now)) ? 'inputs changed' : undefined;
}

/** Of a build the context lies at the root, each base below `/FROM` and what is fetched below `/ADD` (design 4.3). */
function nameOf(target: string): string {
  if (target === '/ADD') return 'time of a fetched file';
  if (target.startsWith('/ADD/')) return redact(target.slice('/ADD/'.length));
  if (target.startsWith('/FROM/')) return `base ${target.slice('/FROM/'.length)}`;
  return target === '/' ? 'context' : 'input';
}

async function explainContent(api: ClusterApi, before: Mount | undefined, now: Mount): Promise<string> {
  if (before?.kind === 'git_tree' && now.kind === 'git_tree' && before.commit !== now.commit)
    return `: commit ${before.commit.slice(0, 12)} → ${now.commit.slice(0, 12)}`;
  const [earlier, later] = await Promise.all([filesOf(api, before), filesOf(api, now)]);
  if (!earlier || !later) return '';
  const paths = new Set([...earlier.keys(), ...later.keys()]);
  const changed = [...paths].filter((path) => earlier.get(path) !== later.get(path)).sort();
  const [first, ...others] = changed;
  if (first === undefined) return '';
  return `: ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`;
}

/** By path what names a file's content; undefined where it is no collection, or one that is gone. */
async function filesOf(api: ClusterApi, mount: Mount | undefined): Promise<Map<string, string> | undefined> {
  const hash = mount?.kind === 'collection' ? (mount.portable_data_hash ?? '') : '';
  if (!isPortableDataHash(hash)) return undefined;
  const collection = await readCollection(api, hash).catch(() => undefined);
  return collection && new Map([...collection.files].map(([path, file]) => [path, contentOf(file)]));
}

const contentOf = ({ segments }: CollectionFile): string =>
  segments.map(({ locator, offset, length }) => `${stripHints(locator)} ${offset} ${length}`).join(',');
