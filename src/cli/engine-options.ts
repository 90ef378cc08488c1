import type { RunFlags } from './options/options.ts';
import { readBuilderSetting, readExecutorSetting } from './settings/config.ts';
import type { EngineOptions } from './wire/engine.ts';

/** What runs containers and builds images: a flag, else the setting. */
export function toEngineOptions(flags: RunFlags): EngineOptions {
  return {
    executor: flags.container ? (flags.executor ?? readExecutorSetting(process.env)) : 'sandbox',
    builder: flags.builder ?? readBuilderSetting(process.env),
    settings: {
      readOnlyRoot: flags.readOnly,
      asImageUser: !flags.matchUser,
      strictCpus: flags.strictCpuLimit === true,
      ...(flags.customNet === undefined ? {} : { networkName: flags.customNet }),
    },
    leaveScratch: flags.leaveTmpdir === true,
    flagsOfThisMachine: flagsOfThisMachine(flags),
    ...(flags.parallelMax === undefined ? {} : { maxConcurrent: flags.parallelMax }),
  };
}

/** Those that were given, and say how this machine runs containers. */
function flagsOfThisMachine(flags: RunFlags): string[] {
  const given = {
    '--executor': flags.executor !== undefined,
    '--custom-net': flags.customNet !== undefined,
    '--read-only': flags.readOnly,
    '--no-match-user': !flags.matchUser,
    '--strict-cpu-limit': flags.strictCpuLimit === true,
    '--leave-tmpdir': flags.leaveTmpdir === true,
    '--parallel-max': flags.parallelMax !== undefined,
  };
  return Object.entries(given).flatMap(([name, isGiven]) => (isGiven ? [name] : []));
}
