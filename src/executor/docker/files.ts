import { join } from 'node:path';
import { hasExecuted } from '../engine/has-executed.ts';
import type { FirstProcess } from '../engine/state.ts';
import { readText } from '../limits/cgroup-files.ts';
import { findGroupProcesses } from '../limits/cgroup-roots.ts';

/**
 * docker's program leaves the id of a container that was made in a file of `folder`, and its daemon makes a control group of that name. To
 * ask the daemon costs a process each time. One on another machine makes no group here.
 */
export function startFiles(folder: string): { fileArgs: string[]; readFirst: () => FirstProcess | undefined } {
  return {
    fileArgs: ['--cidfile', join(folder, 'cid')],
    readFirst() {
      const id = readText(folder, 'cid').trim();
      const pid = id === '' ? undefined : findGroupProcesses(toGroupNames(id)).find(isProcess1);
      return pid !== undefined && hasExecuted(pid) ? { id, pid } : undefined;
    },
  };
}

/** In a namespace of its own: the runtime's helpers, which are in the group before it, are not. proc(5): NSpid, outermost first. */
const isProcess1 = (pid: number): boolean => /^NSpid:\s+\d.*\s1$/m.test(readText('/proc', `${pid}/status`));

/** By the daemon's cgroup driver, `cgroupfs` or `systemd`, run by root or by this user. */
function toGroupNames(id: string): string[] {
  const uid = process.getuid?.() ?? 0;
  const own = `user.slice/user-${uid}.slice/user@${uid}.service`;
  return [`docker/${id}`, ...['system.slice', `${own}/user.slice`, `${own}/app.slice`].map(toScope)];

  function toScope(slice: string): string {
    return `${slice}/docker-${id}.scope`;
  }
}
