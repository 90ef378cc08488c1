import { mkdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crunchError } from '../errors.ts';
import { isInside } from '../paths.ts';
import { runGit } from './git.ts';
import { commitPattern, fetchCommit } from './git-repository.ts';

/**
 * Puts the files of one commit (or of `path` in it) into a folder of `scratch`: no history, no submodules, no hooks, no prompts.
 * With `keepGitDir` a whole commit comes as a work tree of its own, with `.git`: equal commits give equal ones. Fails with `crunch/bad-mount` or `crunch/git-failed`.
 */
export async function checkoutGitTree(
  mount: { readonly url: string; readonly commit: string; readonly path?: string },
  scratch: string,
  signal: AbortSignal,
  { keepGitDir = false }: { readonly keepGitDir?: boolean } = {},
): Promise<string> {
  if (!commitPattern.test(mount.commit)) {
    throw crunchError(
      'crunch/bad-mount',
      `git_tree: expected a full commit hash, got ${JSON.stringify(mount.commit)}`,
      {
        hint: 'branches move: name the commit',
        where: { field: 'mounts' },
      },
    );
  }
  if (mount.url.startsWith('-') || /^\w+::/.test(mount.url)) {
    throw crunchError('crunch/bad-mount', `git_tree: refused the url ${JSON.stringify(mount.url)}`, {
      hint: 'use an https, ssh, git or file url',
      where: { field: 'mounts' },
    });
  }
  const repo = join(scratch, 'git');
  const tree = join(scratch, 'tree');
  await mkdir(tree, { recursive: true });
  await fetchCommit(repo, mount.url, mount.commit, signal);
  const checkout = ['checkout', '--quiet', '--force', '--no-recurse-submodules', mount.commit, '--', '.'];
  await runGit({ args: ['-C', repo, '--work-tree', tree, ...checkout], url: mount.url, signal });
  if (keepGitDir && (mount.path ?? '') === '') await makeWorkTree(tree, repo, { ...mount, signal });
  return insideTree(tree, mount.path ?? '');
}

/**
 * Gives `tree` a `.git` of this one commit, of loose objects and an index without times: packs and stat data would differ from fetch to
 * fetch.
 */
async function makeWorkTree(
  tree: string,
  repo: string,
  { url, commit, signal }: { readonly url: string; readonly commit: string; readonly signal: AbortSignal },
): Promise<void> {
  const git = (...args: string[]) => runGit({ args: ['-C', tree, ...args], url, signal });
  await runGit({ args: ['-C', repo, 'config', 'uploadpack.allowAnySHA1InWant', 'true'], url, signal });
  await git('init', '--quiet', '--template=');
  const loose = ['-c', 'fetch.unpackLimit=1000000000'];
  await git(...loose, 'fetch', '--quiet', '--depth=1', '--no-tags', '--', pathToFileURL(repo).href, commit);
  await git('update-ref', '--no-deref', 'HEAD', commit);
  await git('read-tree', commit);
  await git('config', 'remote.origin.url', url);
  for (const trace of ['FETCH_HEAD', 'logs']) await rm(join(tree, '.git', trace), { recursive: true, force: true });
}

/** A commit may hold symlinks: what is mounted must still lie in the tree. */
async function insideTree(tree: string, path: string): Promise<string> {
  const root = await realpath(tree);
  const inner = await realpath(join(root, path)).catch(() => undefined);
  if (inner !== undefined && isInside(inner, root)) return inner;
  throw crunchError(
    'crunch/bad-mount',
    `git_tree: expected a path in the tree of the commit, got ${JSON.stringify(path)}`,
    {
      hint: 'name a file or directory of that commit',
      where: { field: 'mounts' },
    },
  );
}
