import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageError } from '../errors.ts';
import {
  emptyRegistriesConf,
  mergeRegistriesConf,
  parseRegistriesConf,
  type RegistriesConf,
} from './registries-conf.ts';

/** The environment that decides which files are read, passed in. */
export interface ConfigEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  /** Root of the system's files: `/`, but for tests. */
  readonly root?: string;
}

/**
 * Reads what containers-registries.conf(5) says is read: `CONTAINERS_REGISTRIES_CONF` alone, or the user's file, or the system's, then
 * the drop-ins of both in the order of their names, and the short names that distributions ship. What does not exist is nothing.
 */
export async function loadRegistriesConf(environment: ConfigEnvironment): Promise<RegistriesConf> {
  const { env, root = '/' } = environment;
  const userDir = join(env.XDG_CONFIG_HOME || join(environment.homeDir, '.config'), 'containers');
  const systemDir = join(root, 'etc/containers');
  const named = env.CONTAINERS_REGISTRIES_CONF || env.REGISTRIES_CONFIG_PATH;
  let conf = emptyRegistriesConf;
  const mains = named ? [named] : [join(userDir, 'registries.conf'), join(systemDir, 'registries.conf')];
  for (const file of mains) {
    const found = await readConf(file, named !== undefined);
    if (!found) continue;
    conf = found;
    break;
  }
  const dropIns = named ? [] : [...(await listConf(systemDir)), ...(await listConf(userDir))];
  for (const file of dropIns) conf = mergeRegistriesConf(conf, (await readConf(file)) ?? emptyRegistriesConf);
  return conf;
}

async function listConf(dir: string): Promise<string[]> {
  const folder = join(dir, 'registries.conf.d');
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith('.conf'))
    .sort()
    .map((name) => join(folder, name));
}

async function readConf(file: string, isRequired = false): Promise<RegistriesConf | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !isRequired) return undefined;
    throw imageError('image/bad-registries-conf', `cannot read ${file}: ${(error as Error).message}`, {
      cause: error,
      where: { file },
      hint: 'check CONTAINERS_REGISTRIES_CONF and the rights of the file',
    });
  }
  return parseRegistriesConf(text, file);
}
