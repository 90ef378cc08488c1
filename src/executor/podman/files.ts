import { join } from 'node:path';
import type { FirstProcess } from '../engine/state.ts';
import { readText } from '../limits/cgroup-files.ts';

/**
 * Files in `folder`, in which podman leaves the id of a container that it has made, and conmon that of its first process. To ask podman
 * costs a process that waits for the locks of the one which starts the container. A remote podman leaves no process.
 */
export function startFiles(folder: string): { fileArgs: string[]; readFirst: () => FirstProcess | undefined } {
  return {
    fileArgs: ['--cidfile', join(folder, 'cid'), '--pidfile', join(folder, 'pid')],
    readFirst() {
      const pid = Number(readText(folder, 'pid'));
      return pid > 0 && hasExecuted(pid) ? { id: readText(folder, 'cid').trim(), pid } : undefined;
    },
  };
}

/** PF_FORKNOEXEC of the kernel: what the runtime forked has not become the command yet. One that has gone has been it. */
const forkNoExec = 0x40;

/** proc(5): the ninth field of `stat` holds the flags; only the second may have spaces, or a closing parenthesis. */
function hasExecuted(pid: number): boolean {
  const [, flags] = readText('/proc', `${pid}/stat`).match(/.*\) \S+(?: -?\d+){5} (\d+)/s) ?? [];
  return (Number(flags ?? 0) & forkNoExec) === 0;
}
