import { access, constants } from 'node:fs/promises';
import { toolEnvironment } from './tool-environment.ts';

const searchPath = toolEnvironment.PATH?.split(':') ?? [];

/** Path of a program of this machine. */
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
