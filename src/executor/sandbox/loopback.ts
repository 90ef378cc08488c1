import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from '../process/find-tool.ts';
import { quote } from '../process/quote.ts';
import type { Mount } from './mount.ts';
import { runTool } from './run-tool.ts';
import type { UserNamespace } from './user-namespace.ts';

/** How `lo` comes up in a fresh network namespace. */
export interface Loopback {
  /** Outside the root of the container. */
  readonly mounts: readonly Mount[];
  /** Shell line; empty where this machine has no means. */
  readonly command: string;
}

/** IFF_UP and IFF_LOOPBACK. */
const flags = '0x9';

/**
 * By the new network's own sysfs, for which no program has to be started; by a program where the kernel lets none be mounted, as in
 * containers whose `/sys` is masked.
 */
export async function findLoopback(home: string, namespace: UserNamespace): Promise<Loopback> {
  const folder = join(home, 'sys');
  await mkdir(folder, { recursive: true });
  const command = `echo ${flags} > ${quote(`${folder}/class/net/lo/flags`)}`;
  const probe = ['unshare', '--mount', '--net', 'sh', '-c', `mount -n -t sysfs sysfs ${quote(folder)} && ${command}`];
  const { exitCode } = await runTool([...namespace.enter, ...probe]);
  if (exitCode !== 0) return { mounts: [], command: await findProgram() };
  const sysfs = { source: 'sysfs', target: folder, type: 'sysfs', options: ['nosuid', 'nodev', 'noexec'] };
  return { mounts: [sysfs], command };
}

async function findProgram(): Promise<string> {
  if (await findTool('ip')) return 'ip link set lo up';
  if (await findTool('busybox')) return 'busybox ip link set lo up';
  const perl = `perl -e 'socket(S,2,2,0) && ioctl(S,0x8914,my $up=pack("a16sx14","lo",1)) or die $!'`;
  if (await findTool('perl')) return perl;
  const python = `python3 -c 'import fcntl,socket,struct;fcntl.ioctl(socket.socket(),0x8914,struct.pack("16sH14x",b"lo",1))'`;
  return (await findTool('python3')) ? python : '';
}
