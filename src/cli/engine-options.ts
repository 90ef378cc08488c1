import type { ExecutorName } from '../executor/port.ts';
import { readBuilderSetting, readExecutorSetting } from './config.ts';
import type { RunFlags } from './options.ts';
import type { EngineOptions } from './wire/engine.ts';

/** What runs containers and builds images: a flag, else the setting. */
export function toEngineOptions(flags: RunFlags): EngineOptions {
  return {
    executor: flags.container ? chooseExecutor(flags) : 'sandbox',
    builder: flags.builder ?? readBuilderSetting(process.env),
    ...(flags.parallelMax === undefined ? {} : { maxConcurrent: flags.parallelMax }),
  };
}

function chooseExecutor({ executor, docker, podman, singularity }: RunFlags): ExecutorName {
  if (executor !== undefined) return executor;
  if (docker) return 'docker';
  if (podman) return 'podman';
  return singularity ? 'apptainer' : readExecutorSetting(process.env);
}
