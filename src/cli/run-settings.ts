import { resolve } from 'node:path';
import { isUuid, type Uuid } from '../core/ids.ts';
import type { JsonValue } from '../core/json.ts';
import type { RunOptions } from '../run/run-process.ts';
import { toEngineOptions } from './engine-options.ts';
import { cliError } from './errors.ts';
import type { RunFlags } from './options/options.ts';
import type { SessionOptions } from './session.ts';
import { readBuildSecrets } from './settings/build-secrets.ts';
import { makeHome } from './settings/config.ts';
import { createStderrLogger, type LogLevel } from './terminal/stderr-logger.ts';
import type { Reach } from './wire/documents.ts';
import type { DownloadSettings } from './wire/downloads.ts';

/** The flags as settings of what a run needs around it. */
export function toSessionOptions(flags: RunFlags, reach: Reach): SessionOptions {
  return {
    ...toEngineOptions(flags),
    evalTimeoutMs: flags.evalTimeout * 1000,
    logger: createStderrLogger(levelOf(flags), flags.timestamps),
    downloads: toDownloadSettings(flags, reach),
    ...(flags.cachedir === undefined
      ? {}
      : { home: makeHome(resolve(flags.cachedir), 'choose another folder with --cachedir') }),
    ...toWorkDir(flags.tmpdirPrefix ?? flags.tmpOutdirPrefix),
    ...toProject(flags.projectUuid),
  };
}

export const toDownloadSettings = (flags: RunFlags, reach: Reach): DownloadSettings => ({
  reach,
  timeoutMs: flags.httpTimeout * 1000,
  preferKept: flags.preferCachedDownloads === true,
  varyingParameters: splitList(flags.varyingUrlParams),
});

function levelOf({ debug, verbose, quiet }: RunFlags): LogLevel {
  if (debug) return 'debug';
  if (verbose) return 'info';
  return quiet ? 'error' : 'warn';
}

/** One folder for all runs with the same prefix, so that each clears what a dead one left. */
const toWorkDir = (prefix: string | undefined) =>
  prefix === undefined ? {} : { workDir: resolve(`${prefix}hallmark`) };

function toProject(uuid: string | undefined): { readonly project?: Uuid } {
  if (uuid === undefined) return {};
  if (isUuid(uuid) && /-(j7d0g|tpzed)-/.test(uuid)) return { project: uuid };
  throw cliError('cli/usage', `--project-uuid: expected the uuid of a project, got ${uuid}`, {
    hint: 'as in zzzzz-j7d0g-0123456789abcde',
  });
}

/** The flags as settings of the run itself. */
export async function toRunOptions(flags: RunFlags): Promise<RunOptions> {
  return {
    onError: flags.onError,
    reuse: flags.enableReuse,
    pull: flags.pull,
    containers: flags.container,
    hostEnvironment: pickEnvironment(flags),
    buildSecrets: await readBuildSecrets(flags.secret ?? [], process.env),
    maxInFlight: 256,
    requests: {
      ...(flags.priority === undefined ? {} : { priority: flags.priority }),
      ...(flags.intermediateOutputTtl === undefined ? {} : { outputTtl: flags.intermediateOutputTtl }),
      ...(flags.enablePreemptible === undefined ? {} : { preemptible: flags.enablePreemptible }),
      ...(flags.intermediateStorageClasses === undefined
        ? {}
        : { storageClasses: splitList(flags.intermediateStorageClasses) }),
    },
    ...(flags.defaultContainer === undefined ? {} : { defaultContainer: flags.defaultContainer }),
  };
}

const splitList = (text = ''): string[] => text.split(',').filter((part) => part !== '');

function pickEnvironment(flags: RunFlags): Record<string, string> {
  const wanted = Object.entries(process.env).filter(
    ([name]) => flags.preserveEntireEnvironment || flags.preserveEnvironment?.includes(name),
  );
  return Object.fromEntries(wanted.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** What a re-run needs to be the same run. */
export const flagsOfRecord = (flags: RunFlags): Record<string, JsonValue> => ({
  container: flags.container,
  pull: flags.pull,
  ...(flags.defaultContainer === undefined ? {} : { defaultContainer: flags.defaultContainer }),
  ...(flags.singleStep === undefined ? {} : { singleStep: flags.singleStep }),
  ...(flags.singleProcess === undefined ? {} : { singleProcess: flags.singleProcess }),
  ...(flags.target === undefined ? {} : { target: flags.target }),
});
