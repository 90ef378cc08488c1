import { existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { toMessage } from '../../core/errors.ts';
import type { ExecutorName } from '../../executor/port.ts';
import { cliError } from '../errors.ts';

export interface Config {
  /** Folder of the embedded cluster: records, blocks, layers, checkouts, scratch. */
  readonly home: string;
}

export const executorChoices = ['sandbox', 'docker', 'podman', 'apptainer'] as const;

export const builderChoices = ['hallmark', 'docker', 'podman', 'buildah'] as const;
export type BuilderName = (typeof builderChoices)[number];

/** `$HALLMARK_EXECUTOR`, what runs containers unless a flag says otherwise; else the sandbox. */
export const readExecutorSetting = ({ HALLMARK_EXECUTOR: given }: NodeJS.ProcessEnv): ExecutorName =>
  choose('HALLMARK_EXECUTOR', given === 'singularity' ? 'apptainer' : given || 'sandbox', executorChoices);

/** `$HALLMARK_BUILDER`, what builds images unless a flag says otherwise; else our own builder. */
export const readBuilderSetting = ({ HALLMARK_BUILDER: given }: NodeJS.ProcessEnv): BuilderName =>
  choose('HALLMARK_BUILDER', given || 'hallmark', builderChoices);

function choose<T extends string>(name: string, given: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === given);
  if (found !== undefined) return found;
  throw cliError('cli/bad-config', `expected ${name} to be one of ${choices.join(', ')}, got ${given}`, {
    hint: 'set it to one of these, or leave it out',
  });
}

/** `$HALLMARK_HOME`, else `$XDG_DATA_HOME/hallmark`, else `~/.local/share/hallmark` (design 5). Made when missing. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  return { home: makeHome(locateHome(environment), 'set HALLMARK_HOME to a folder that you may write to') };
}

/** The folder, made when it is missing. */
export function makeHome(home: string, hint: string): string {
  try {
    makeFolders(home);
  } catch (cause) {
    throw cliError('cli/bad-config', `cannot use ${home} as home: ${toMessage(cause)}`, { hint, cause });
  }
  return home;
}

/** As `mkdirSync` with `recursive`, which never returns below /proc, where a folder that is there can have none made in it. */
function makeFolders(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeFolders(dirname(path));
    makeFolders(path);
  }
}

/** Where the home is, or would be made. */
export function locateHome(environment: NodeJS.ProcessEnv): string {
  const data = environment.XDG_DATA_HOME || join(homedir(), '.local/share');
  return resolve(environment.HALLMARK_HOME || join(data, 'hallmark'));
}
