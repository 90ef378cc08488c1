import { readText } from '../limits/cgroup-files.ts';

/** PF_FORKNOEXEC of the kernel. */
const forkNoExec = 0x40;

/**
 * Whether what the runtime forked has become the command; one that has gone has been it. proc(5): the ninth field of `stat` holds
 * the flags; only the second may have spaces, or a closing parenthesis.
 */
export function hasExecuted(pid: number): boolean {
  const [, flags] = readText('/proc', `${pid}/stat`).match(/.*\) \S+(?: -?\d+){5} (\d+)/s) ?? [];
  return (Number(flags ?? 0) & forkNoExec) === 0;
}
