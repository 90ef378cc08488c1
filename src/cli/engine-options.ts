import { readBuilderSetting, readExecutorSetting } from './config.ts';
import type { RunFlags } from './options/options.ts';
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
    ...(flags.parallelMax === undefined ? {} : { maxConcurrent: flags.parallelMax }),
  };
}
