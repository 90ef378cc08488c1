import { toMessage } from '../../core/errors.ts';
import type { MergedTree } from '../layers/merged-tree.ts';
import type { TreeEntry } from '../layers/view-layer.ts';
import { readBounded } from '../streams.ts';
import { parseDistribution } from './distribution.ts';
import { apkReader } from './kinds/apk.ts';
import { condaReader } from './kinds/conda.ts';
import { debReader } from './kinds/deb.ts';
import { npmReader } from './kinds/npm.ts';
import { pypiReader } from './kinds/pypi.ts';
import { rReader } from './kinds/r.ts';
import { rpmReader } from './kinds/rpm.ts';
import type { Distribution, FoundPackage, InstalledPackage, PackageList, PackageReader } from './model.ts';
import { toPurl } from './purl.ts';

const readers: readonly PackageReader[] = [
  debReader,
  apkReader,
  rpmReader,
  condaReader,
  pypiReader,
  rReader,
  npmReader,
];

/** rpm's database of a whole desktop has 200 MB; anything larger is no package database. */
const maxDatabaseBytes = 512 << 20;

interface Reading {
  readonly entry: TreeEntry;
  readonly packages: readonly InstalledPackage[];
}

/**
 * What is installed in an image, from the package databases in its layers; nothing of the image is run. Each layer that has a
 * database is read once. What no database names (static linking, `curl | sh`, databases that were deleted) is not seen.
 */
export async function readPackages(tree: MergedTree, signal?: AbortSignal): Promise<PackageList> {
  const candidates = tree.layers.flatMap((layer) => [...layer.entries.values()].filter(isDatabase));
  const release = tree.lookUp('etc/os-release');
  const readings: Reading[] = [];
  const unread: { path: string; reason: string }[] = [];
  let distribution: Distribution | undefined;
  for await (const { entry, content } of tree.readFiles(release ? [...candidates, release] : candidates, signal)) {
    const isPresent = tree.entries.get(entry.path)?.layer === entry.layer;
    try {
      const bytes = await readBounded(
        content,
        maxDatabaseBytes,
        () => new Error(`it is larger than ${maxDatabaseBytes} bytes`),
      );
      if (release && entry.path === release.path && isPresent) distribution = parseDistribution(bytes.toString());
      const packages = findReader(entry.path)?.read(bytes, entry.path) ?? [];
      if (packages.length > 0) readings.push({ entry, packages });
    } catch (error) {
      signal?.throwIfAborted();
      if (isPresent) unread.push({ path: entry.path, reason: toMessage(error) });
    }
  }
  return { ...(distribution && { distribution }), ...sortOut(tree, readings, distribution), unread };
}

const findReader = (path: string) => readers.find((reader) => reader.matches(path));

const isDatabase = ({ type, path }: TreeEntry): boolean => type === 'file' && findReader(path) !== undefined;

/** Parts what the finished image has from what only lower layers had. */
function sortOut(tree: MergedTree, readings: readonly Reading[], distribution: Distribution | undefined) {
  const found = new Map<string, FoundPackage>();
  const present = new Set<string>();
  for (const { entry, packages } of readings.toSorted((a, b) => a.entry.layer - b.entry.layer)) {
    const isPresent = tree.entries.get(entry.path)?.layer === entry.layer;
    for (const installed of packages) {
      const purl = toPurl(installed, distribution);
      const key = `${purl} ${entry.path}`;
      if (!found.has(key)) found.set(key, { ...installed, purl, path: entry.path, layer: entry.layer });
      if (isPresent) present.add(key);
    }
  }
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    packages: sorted.filter(([key]) => present.has(key)).map(([, one]) => one),
    hidden: sorted.filter(([key]) => !present.has(key)).map(([, one]) => one),
  };
}
