import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileAccess } from '../../src/image/archive/folder.ts';
import type { ArchivedImage } from '../../src/image/archive/model.ts';
import { openArchiveImages, openLayout } from '../../src/image/archive/open.ts';
import { parseReference } from '../../src/image/reference.ts';
import { type FakeRegistry, type FakeRegistryOptions, startRegistry } from './registry.ts';

export interface ServedRegistry extends FakeRegistry {
  /** What can be pulled, as `repository:tag`. */
  readonly names: readonly string[];
}

/**
 * Serves image archives (`*.tar`) and OCI layouts of a folder on a loopback port. An image is there under the tags that it carries, or,
 * where it carries none, under the name of its file; `debian:x` also as `library/debian:x`, so that a mirror of Docker Hub finds it.
 */
export async function serveImages(folder: string, options: FakeRegistryOptions = {}): Promise<ServedRegistry> {
  const registry = await startRegistry(options);
  const names: string[] = [];
  for (const entry of (await readdir(folder)).sort()) {
    for (const image of await openEntry(join(folder, entry))) {
      const tags = image.repoTags.length > 0 ? image.repoTags : [basename(entry, '.tar')];
      for (const { repository, tag } of tags.flatMap(toPlaces)) {
        registry.add(repository, tag, image);
        names.push(`${repository}:${tag}`);
      }
    }
  }
  return { ...registry, names };
}

async function openEntry(path: string): Promise<ArchivedImage[]> {
  if ((await stat(path)).isDirectory()) return (await isLayout(path)) ? [await openLayout(path, { name: path })] : [];
  return path.endsWith('.tar') ? openArchiveImages(await fileAccess(path), { name: path }) : [];
}

const isLayout = (path: string): Promise<boolean> =>
  stat(join(path, 'index.json')).then(
    () => true,
    () => false,
  );

function toPlaces(name: string): { repository: string; tag: string }[] {
  const { repository, tag = 'latest' } = parseReference(name);
  const short = repository.replace(/^library\//, '');
  return [...new Set([repository, short])].map((one) => ({ repository: one, tag }));
}
