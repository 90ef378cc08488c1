import { posix } from 'node:path';
import { imageError } from '../../errors.ts';
import { type IgnoreRules, toIgnoreRules } from './ignore.ts';
import { hasWildcard, toMatcher } from './match.ts';
import { resolveSource, type SourceEntry, type SourceTree } from './source-tree.ts';

/** One thing that a source of COPY names: a file or a directory, links followed, under the name it is copied as. */
export interface Selected {
  readonly entry: SourceEntry;
  /** The last part of the path as the Dockerfile or the wildcard has it. */
  readonly baseName: string;
  /** `--parents`: the directories that go along. */
  readonly parents?: string;
}

export interface CopyItem {
  readonly entry: SourceEntry;
  /** Below the selected entry; '' for itself. */
  readonly relative: string;
}

/** What the pattern of one source names, wildcards by name. */
export async function selectSources(tree: SourceTree, source: string, withParents: boolean): Promise<Selected[]> {
  const selected: Selected[] = [];
  const [pivot = '', rest] = withParents ? splitPivot(source) : ['', source];
  const path = posix.join('/', pivot, rest).slice(1).replace(/\/$/, '');
  const names = hasWildcard(path) ? await expandWildcards(tree, path, withParents) : [path];
  for (const name of names) {
    const entry = await resolveSource(tree, name);
    if (!entry) throw notFound(tree, source);
    const parent = posix.dirname(posix.relative(posix.join('/', pivot), `/${name}`));
    const parents = entry.type === 'directory' ? posix.relative(posix.join('/', pivot), `/${name}`) : parent;
    selected.push({ entry, baseName: posix.basename(name), ...(withParents && { parents }) });
  }
  return selected;
}

/** `--parents a/./b/c` keeps `b` only. */
function splitPivot(source: string): [string, string] {
  const at = source.indexOf('/./');
  return at < 0 ? ['', source] : [source.slice(0, at), source.slice(at + 3)];
}

function notFound(tree: SourceTree, source: string) {
  const hint =
    tree.name === 'the build context'
      ? 'paths are relative to the build context; look at .dockerignore too'
      : undefined;
  return imageError(
    'image/bad-dockerfile',
    `expected ${source} in ${tree.name}, got no such file`,
    hint ? { hint } : {},
  );
}

/**
 * Paths that match, part by part. None is no error: that is how BuildKit has it. With `--parents` a part `**` is any number of
 * directories, or none; elsewhere it is a `*`.
 */
async function expandWildcards(tree: SourceTree, pattern: string, isDeep: boolean): Promise<string[]> {
  let paths = [''];
  const parts = pattern.split('/');
  for (const [index, part] of parts.entries()) {
    const next: string[] = [];
    for (const path of paths) {
      if (part === '**' && isDeep && index < parts.length - 1) {
        next.push(...(await listFolders(tree, path)));
        continue;
      }
      if (!hasWildcard(part)) {
        next.push(posix.join(path, part.replace(/\\(.)/g, '$1')));
        continue;
      }
      const folder = await resolveSource(tree, path);
      if (folder?.type !== 'directory') continue;
      const matcher = toMatcher(part);
      for (const child of await tree.children(folder.path)) {
        const name = posix.basename(child.path);
        if (matcher.test(name)) next.push(posix.join(path, name));
      }
    }
    paths = [...new Set(next)];
  }
  const existing = await Promise.all(paths.map(async (path) => ((await resolveSource(tree, path)) ? [path] : [])));
  return existing.flat();
}

/** The folder and all below it, links not followed. */
async function listFolders(tree: SourceTree, path: string): Promise<string[]> {
  const folder = await resolveSource(tree, path);
  if (folder?.type !== 'directory') return [];
  const folders = (await tree.children(folder.path)).filter(({ type }) => type === 'directory');
  const below = folders.map((child) => listFolders(tree, posix.join(path, posix.basename(child.path))));
  return [path, ...(await Promise.all(below)).flat()];
}

/** The selected entry and all below it that `--exclude` leaves, parents first. */
export async function listItems(
  tree: SourceTree,
  { entry, baseName }: Selected,
  excludes: readonly string[],
): Promise<CopyItem[]> {
  const rules = toIgnoreRules(excludes);
  if (entry.type !== 'directory') return rules.isIgnored(baseName) ? [] : [{ entry, relative: '' }];
  const items: CopyItem[] = [{ entry, relative: '' }];
  for (const child of await tree.children(entry.path)) await addItems(tree, child, { root: entry.path, rules, items });
  return items;
}

interface Listing {
  readonly root: string;
  readonly rules: IgnoreRules;
  readonly items: CopyItem[];
}

async function addItems(tree: SourceTree, entry: SourceEntry, { root, rules, items }: Listing): Promise<void> {
  const relative = entry.path.slice(root === '' ? 0 : root.length + 1);
  const isExcluded = rules.isIgnored(relative);
  const before = items.length;
  if (!isExcluded || (entry.type === 'directory' && rules.hasExceptions)) items.push({ entry, relative });
  else return;
  if (entry.type !== 'directory') return;
  for (const child of await tree.children(entry.path)) await addItems(tree, child, { root, rules, items });
  if (isExcluded && items.length === before + 1) items.pop();
}
