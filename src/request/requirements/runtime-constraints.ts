import { mib } from '../../core/units.ts';
import { arvadosPrefix } from '../../job/requirements.ts';
import type { MapRequirement } from '../contribution.ts';
import { numberField, stringField } from '../fields.ts';

/** `keep_cache` in MiB, on disk unless the cluster or KeepCacheTypeRequirement wants memory; `outputDirType`. */
export const mapRuntimeConstraints: MapRequirement = (entry, { job, options }) => {
  const cache = numberField(entry, 'keep_cache');
  const cacheBytes = cache === undefined ? undefined : Math.ceil(cache * mib);
  const type = job.requirements.find(({ class: name }) => name === `${arvadosPrefix}KeepCacheTypeRequirement`);
  const onDisk = options.usesDiskCache !== false && type?.fields.keepCacheType !== 'ram_cache';
  const inKeep = stringField(entry, 'outputDirType') === 'keep_output_dir';
  return {
    ...(cacheBytes !== undefined && {
      runtimeConstraints: onDisk ? { keep_cache_disk: cacheBytes } : { keep_cache_ram: cacheBytes },
    }),
    ...(inKeep && { mounts: { [job.paths.outdir]: { kind: 'collection', writable: true } } }),
  };
};
