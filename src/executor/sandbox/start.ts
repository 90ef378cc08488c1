import type { Duplex } from 'node:stream';
import { executorError } from '../errors.ts';
import type { StreamTarget } from '../port.ts';
import { type Child, startChild } from '../process/child.ts';
import { startedWord } from './init-script.ts';
import { toolEnvironment } from './tools.ts';
import type { UserNamespace } from './user-namespace.ts';

export interface StartOptions {
  readonly namespace: UserNamespace;
  /** File name of the first process's program, in `scratch`. */
  readonly script: string;
  /** The folder that the program's relative paths start from. */
  readonly scratch: string;
  readonly network: boolean;
  readonly stdin?: string;
  readonly stdout: StreamTarget;
  readonly stderr: StreamTarget;
}

/** Starts a container's first process and resolves when it is about to become the command. */
export async function startInit(options: StartOptions): Promise<Child> {
  const child = await startChild({
    command: [
      ...options.namespace.enter,
      ...['unshare', '--mount', '--pid', '--ipc', '--uts', ...(options.network ? [] : ['--net'])],
      ...['--fork', '--kill-child', 'sh', options.script],
    ],
    environment: toolEnvironment,
    cwd: options.scratch,
    stdout: options.stdout,
    stderr: options.stderr,
    control: true,
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
  });
  const { control } = child;
  if (control === undefined) throw new Error('a child with a control channel has one');
  const said = await converse(control);
  if (said.endsWith(`${startedWord}\n`)) return child;
  child.kill();
  await child.ended;
  throw toStartError(said);
}

/** Answers the first word and gives all that was said until the other side is done. */
async function converse(control: Duplex): Promise<string> {
  let said = '';
  return new Promise((resolve) => {
    const finish = (): void => {
      resolve(said);
      control.destroy();
    };
    control.on('data', (chunk: Buffer) => {
      if (said === '') control.write('go\n');
      said += chunk.toString();
      if (said.endsWith(`${startedWord}\n`)) finish();
    });
    control.on('error', finish);
    control.on('close', finish);
  });
}

function toStartError(said: string): Error {
  const text =
    said
      .replace(/^ready\n/, '')
      .trim()
      .split('\n')
      .slice(0, 3)
      .join('; ') || 'its first process ended at once';
  if (/No space left/.test(text)) {
    return executorError('executor/no-space', `the container could not be started: ${text}`, {
      hint: 'free some space',
    });
  }
  return executorError('executor/start-failed', `the container could not be started: ${text}`, { hint: hintFor(text) });
}

function hintFor(text: string): string {
  if (/overlay/.test(text)) {
    return 'the scratch folder must lie on a file system that can hold an overlay (ext4, xfs, btrfs, tmpfs); Linux 5.11 or newer';
  }
  if (/proc/.test(text))
    return 'inside another container, start that one with its /proc unmasked, or choose another executor';
  return 'look at the message; it comes from the mount or unshare program of this machine';
}
