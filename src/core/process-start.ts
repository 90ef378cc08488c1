import { readFileSync } from 'node:fs';

/**
 * When a process started, in ticks since boot (proc(5), `/proc/PID/stat`, field 22): with its number it names a process until the next
 * boot, also once the number is used again. Undefined when it has ended, waited for or not. Where there is no /proc, the empty text.
 */
export function processStart(pid: number): string | undefined {
  if (process.platform !== 'linux') return isRunning(pid) ? '' : undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold anything, also a parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
