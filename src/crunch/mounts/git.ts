import { spawn } from 'node:child_process';
import { crunchError } from '../errors.ts';

export interface GitCommand {
  readonly args: readonly string[];
  /** Of the repository, for messages. */
  readonly url: string;
  readonly signal: AbortSignal;
}

/** No hooks, and no transport that is a command of its own. */
const safe = ['-c', 'core.hooksPath=/dev/null', '-c', 'advice.detachedHead=false'];
const safeEnvironment = {
  GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: 'true',
  GIT_LFS_SKIP_SMUDGE: '1',
  GIT_CONFIG_NOSYSTEM: '1',
};
const maxOutputBytes = 16 * 1024 * 1024;

/** Runs git to its end, without prompts; gives what it printed. Fails with `crunch/git-failed`. */
export function runGit({ args, url, signal }: GitCommand): Promise<string> {
  const ssh = process.env.GIT_SSH_COMMAND ?? 'ssh -o BatchMode=yes';
  const env = { ...process.env, ...safeEnvironment, GIT_SSH_COMMAND: ssh };
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...safe, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env, signal });
    const output: Buffer[] = [];
    let size = 0;
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxOutputBytes) child.kill('SIGKILL');
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    child.once('error', (cause) => reject(signal.aborted ? signal.reason : gitError(url, toProblem(cause), cause)));
    child.once('close', (code) =>
      code === 0
        ? resolve(Buffer.concat(output).toString())
        : reject(gitError(url, errors.trim() || `exit code ${code}`)),
    );
  });
}

const toProblem = (error: NodeJS.ErrnoException): string =>
  error.code === 'ENOENT' ? 'git is not installed' : error.message;

function gitError(url: string, problem: string, cause?: unknown) {
  const lines = problem.split('\n').map((line) => line.replace(/^(fatal|error): /, ''));
  return crunchError('crunch/git-failed', `git could not read ${hideCredentials(url)}: ${lines[0]}`, {
    hint: 'check the URL, the branch, tag or commit, and that git is installed and may read the repository',
    cause,
    retryable: true,
  });
}

const hideCredentials = (url: string): string => url.replace(/\/\/[^/@]*@/, '//');
