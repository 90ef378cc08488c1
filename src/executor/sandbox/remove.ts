import { chmod, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from './run-tool.ts';

/** Removes a tree that may hold files of the namespace's other ids. Nothing when it is not there. */
export async function removeTree(path: string, enter: readonly string[]): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await runTool([...enter, 'rm', '-rf', '--', path]);
  }
}

/** Removes the `workdir` of an overlay that is no longer mounted: the kernel leaves a folder in it that its owner cannot read. */
export async function removeOverlayWork(path: string, enter: readonly string[]): Promise<void> {
  await chmod(join(path, 'work'), 0o700).catch(() => {});
  await rmdir(join(path, 'work')).catch(() => {});
  await removeTree(path, enter);
}
