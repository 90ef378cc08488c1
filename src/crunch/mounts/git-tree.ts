import { spawn } from 'node:child_process';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { crunchError } from '../errors.ts';
import { isInside } from '../paths.ts';

const commitPattern = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

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
  if (mount.url.startsWith('-') || /^ext::/i.test(mount.url)) {
    throw crunchError('crunch/bad-mount', `git_tree: refused the url ${JSON.stringify(mount.url)}`, {
      hint: 'use an https, ssh, git or file url',
      where: { field: 'mounts' },
    });
  }
  const repo = join(scratch, 'git');
  const tree = join(scratch, 'tree');
  await mkdir(tree, { recursive: true });
  const run = (args: readonly string[]) => runGit(args, mount.url, signal);
  await run(['init', '--quiet', '--bare', repo]);
  const fetch = ['-C', repo, 'fetch', '--quiet', '--no-tags'];
  await run([...fetch, '--depth=1', mount.url, mount.commit]).catch(() =>
    run([...fetch, mount.url, '+refs/*:refs/remotes/origin/*']),
  );
  await run(['-C', repo, '--work-tree', tree, 'checkout', '--quiet', '--force', mount.commit, '--', '.']);
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

function runGit(args: readonly string[], url: string, signal: AbortSignal): Promise<void> {
  const safe = ['-c', 'core.hooksPath=/dev/null', '-c', 'protocol.ext.allow=never', '-c', 'advice.detachedHead=false'];
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_LFS_SKIP_SMUDGE: '1', GIT_CONFIG_NOSYSTEM: '1' };
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...safe, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env, signal });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    child.once('error', (cause) => reject(gitError(url, cause.message, cause)));
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(gitError(url, errors.trim() || `exit code ${code}`)),
    );
  });
}

function gitError(url: string, problem: string, cause?: unknown) {
  const [firstLine] = problem.split('\n');
  return crunchError('crunch/git-failed', `git could not fetch ${hideCredentials(url)}: ${firstLine}`, {
    hint: 'check the url, the commit and that git is installed',
    cause,
    retryable: true,
  });
}

const hideCredentials = (url: string): string => url.replace(/\/\/[^/@]*@/, '//');
