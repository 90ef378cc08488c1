import { join } from 'node:path';
import { hasExecuted } from '../engine/has-executed.ts';
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
