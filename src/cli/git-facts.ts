import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { redactUrl } from './redact.ts';

const run = promisify(execFile);

/**
 * What git knows of the work tree around `folder`, under the names that arvados-cwl-runner gives it; undefined outside one.
 * `arv:gitStatus` is empty when nothing is changed.
 */
export async function readGitFacts(folder: string): Promise<Record<`arv:git${string}`, string> | undefined> {
  const git = async (...args: string[]): Promise<string> => {
    try {
      const { stdout } = await run('git', ['-C', folder, '--no-optional-locks', ...args], { timeout: 10_000 });
      return stdout.replace(/\n+$/, '');
    } catch {
      return '';
    }
  };
  const commit = await git('rev-parse', 'HEAD');
  if (commit === '') return undefined;
  const [date, committer, branch, origin, status, describe, path] = await Promise.all([
    git('log', '-n1', '--format=%cI', 'HEAD'),
    git('log', '-n1', '--format=%cn <%ce>', 'HEAD'),
    git('rev-parse', '--abbrev-ref', 'HEAD'),
    git('remote', 'get-url', 'origin'),
    git('status', '--untracked-files=normal', '--porcelain', '--', '.'),
    git('describe', '--always', '--tags'),
    git('rev-parse', '--show-prefix'),
  ]);
  return {
    'arv:gitCommit': commit,
    'arv:gitDate': date,
    'arv:gitCommitter': committer,
    'arv:gitBranch': branch,
    'arv:gitOrigin': redactUrl(origin),
    'arv:gitStatus': status.slice(0, 4096),
    'arv:gitDescribe': describe,
    'arv:gitPath': path,
  };
}
