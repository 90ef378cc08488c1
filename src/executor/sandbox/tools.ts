import { access, constants } from 'node:fs/promises';
import { executorError } from '../errors.ts';
import { toolEnvironment } from '../process/tool-environment.ts';

const searchPath = toolEnvironment.PATH?.split(':') ?? [];

export async function findTool(name: string): Promise<string | undefined> {
  for (const folder of searchPath) {
    const path = `${folder}/${name}`;
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

const required: readonly (readonly [tool: string, hint: string])[] = [
  ['unshare', 'install util-linux'],
  ['nsenter', 'install util-linux'],
  ['setpriv', 'install util-linux (Alpine: setpriv)'],
  ['mount', 'install mount (util-linux)'],
  ['env', 'install coreutils'],
  ['tar', 'install GNU tar'],
  ['sh', 'install a POSIX shell'],
];

/** Fails with `executor/unavailable` for the first tool that the sandbox needs and this machine lacks. */
export async function requireTools(): Promise<void> {
  for (const [tool, hint] of required) {
    if ((await findTool(tool)) === undefined) {
      throw executorError('executor/unavailable', `the sandbox needs the program "${tool}", which is not installed`, {
        hint: `${hint}, or choose another executor`,
      });
    }
  }
}

/** A shell line that brings `lo` up in a fresh network namespace; empty where no program here can. */
export async function findLoopbackCommand(): Promise<string> {
  if (await findTool('ip')) return 'ip link set lo up';
  if (await findTool('busybox')) return 'busybox ip link set lo up';
  const perl = `perl -e 'socket(S,2,2,0) && ioctl(S,0x8914,pack("a16sx14","lo",1)) or die $!'`;
  if (await findTool('perl')) return perl;
  const python = `python3 -c 'import fcntl,socket,struct;fcntl.ioctl(socket.socket(),0x8914,struct.pack("16sH14x",b"lo",1))'`;
  return (await findTool('python3')) ? python : '';
}
