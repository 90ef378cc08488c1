import { executorError } from '../errors.ts';
import { findTool } from '../process/find-tool.ts';

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
