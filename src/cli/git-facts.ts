import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { redactUrl } from './redact.ts';

const run = promisify(execFile);

/** What of a work tree a folder stands for: all that lies in it, or a document in it that may name files elsewhere in the tree. */
export type GitScope = 'folder' | 'document';

type Git = (...args: string[]) => Promise<string | undefined>;

/**
 * What git knows of the work tree around `folder`, under the names that arvados-cwl-runner gives it; undefined outside one.
 * `arv:gitStatus` is empty when nothing differs from the commit, and missing when git does not say.
 */
export async function readGitFacts(
  folder: string,
  scope: GitScope,
): Promise<Record<`arv:git${string}`, string> | undefined> {
  if (!(await isInWorkTree(folder))) return undefined;
  const ask: Git = async (...args) => {
    try {
      const options = { timeout: 10_000, maxBuffer: 16 * 1024 * 1024 };
      const { stdout } = await run('git', ['-C', folder, '--no-optional-locks', ...args], options);
      return stdout.replace(/\n+$/, '');
    } catch {
      return undefined;
    }
  };
  const git = async (...args: string[]) => (await ask(...args)) ?? '';
  const commit = await git('rev-parse', 'HEAD');
  if (commit === '') return undefined;
  const [date, committer, branch, origin, status, describe, path] = await Promise.all([
    git('log', '-n1', '--format=%cI', 'HEAD'),
    git('log', '-n1', '--format=%cn <%ce>', 'HEAD'),
    git('rev-parse', '--abbrev-ref', 'HEAD'),
    git('remote', 'get-url', 'origin'),
    readStatus(ask, scope),
    git('describe', '--always', '--tags'),
    git('rev-parse', '--show-prefix'),
  ]);
  return {
    'arv:gitCommit': commit,
    'arv:gitDate': date,
    'arv:gitCommitter': committer,
    'arv:gitBranch': branch,
    'arv:gitOrigin': redactUrl(origin),
    ...(status === undefined ? {} : { 'arv:gitStatus': shorten(status) }),
    'arv:gitDescribe': describe,
    'arv:gitPath': path,
  };
}

/** Whether git can find one: to look takes less than to ask, and most documents lie in none. */
async function isInWorkTree(folder: string): Promise<boolean> {
  if (process.env.GIT_DIR !== undefined) return true;
  const real = await realpath(folder).catch(() => undefined);
  for (let path = real; path !== undefined; path = path === dirname(path) ? undefined : dirname(path)) {
    if (existsSync(join(path, '.git'))) return true;
  }
  return false;
}

/**
 * What is not as in the commit. Files that git ignores are in no commit: of a folder, which is taken as it is, they count. Beside a
 * document they are as a rule its results; they count when it is ignored itself.
 */
async function readStatus(git: Git, scope: GitScope): Promise<string | undefined> {
  const status = (...args: string[]) => git('status', '--porcelain', ...args);
  if (scope === 'folder') return status('--untracked-files=normal', '--ignored=matching', '--', '.');
  const [changed, here, ignored] = await Promise.all([
    status('--untracked-files=no'),
    status('--untracked-files=normal', '--', '.'),
    git('check-ignore', '.'),
  ]);
  if (changed === undefined || here === undefined) return undefined;
  const lines = [changed, here, ignored === undefined ? '' : status('--ignored=matching', '--', '.')];
  return [...new Set((await Promise.all(lines)).join('\n').split('\n').filter(Boolean))].join('\n');
}

/** The first 4096 characters, in whole lines. */
function shorten(status: string): string {
  return status.length <= 4096 ? status : `${status.slice(0, status.lastIndexOf('\n', 4092))}\n...`;
}
