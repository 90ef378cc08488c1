import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from '../../keep/remove-tree.ts';
import { crunchError } from '../errors.ts';
import { runGit } from './git.ts';

export const commitPattern = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** What a branch, a tag or HEAD of a repository means now. A tag is the commit that it points to. */
export async function resolveGitRef(url: string, ref: string | undefined, signal: AbortSignal): Promise<string> {
  if (ref !== undefined && commitPattern.test(ref)) return ref;
  const listed = await runGit({ args: ['ls-remote', '--', url], url, signal });
  const commits = new Map(
    listed.split('\n').map((line): [string, string] => [line.split('\t')[1] ?? '', line.split('\t')[0] ?? '']),
  );
  const names = ref === undefined ? ['HEAD'] : [`refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`, ref];
  const commit = names.map((name) => commits.get(name)).find((found) => found !== undefined);
  if (commit !== undefined) return commit;
  throw crunchError('crunch/git-failed', `${url}: expected a branch or tag ${ref ?? 'HEAD'}, got none`, {
    hint: 'check its spelling; a commit is named by its whole hash',
  });
}

/** Fetches one commit, or, where the server gives out no single ones, all that its refs name. */
export async function fetchCommit(repo: string, url: string, commit: string, signal: AbortSignal): Promise<void> {
  const run = (args: readonly string[]) => runGit({ args, url, signal });
  await run(['init', '--quiet', '--bare', repo]);
  const fetch = ['-C', repo, 'fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];
  try {
    await run([...fetch, '--depth=1', '--', url, commit]);
  } catch {
    signal.throwIfAborted();
    await run([...fetch, '--', url, '+refs/*:refs/remotes/origin/*']);
  }
}

/** The text of a file of a commit; undefined where that has none there. A symlink is none. */
export async function readGitFile(
  { url, commit }: { readonly url: string; readonly commit: string },
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'hallmark-git-'));
  try {
    await fetchCommit(folder, url, commit, signal);
    const inRepo = (args: readonly string[]) => runGit({ args: ['-C', folder, ...args], url, signal });
    const [entry = ''] = (await inRepo(['ls-tree', '-z', commit, '--', `:(literal)${path}`])).split('\0');
    const [, blob] = /^100\d+ blob (\w+)\t/.exec(entry) ?? [];
    return blob === undefined ? undefined : await inRepo(['cat-file', 'blob', blob]);
  } finally {
    await removeTree(folder);
  }
}
