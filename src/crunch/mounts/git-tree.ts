import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { crunchError } from '../errors.ts';
import { isInside } from '../paths.ts';
import { runGit } from './git.ts';
import { commitPattern, fetchCommit } from './git-repository.ts';

/**
 * Puts the files of one commit (or of `path` in it) into `target`: no history, no submodules, no hooks, no prompts.
 * Fails with `crunch/bad-mount` or `crunch/git-failed`.
 */
export async function checkoutGitTree(
  mount: { readonly url: string; readonly commit: string; readonly path?: string },
  scratch: string,
  signal: AbortSignal,
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
  return insideTree(tree, mount.path ?? '');
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
