import { mib } from '../../core/units.ts';
import type { MapRequirement } from '../contribution.ts';
import { numberField, stringField, stringsField } from '../fields.ts';

/** `cwltool:CUDARequirement` and `arv:ROCmRequirement` as `runtime_constraints.gpu` (Arvados 3.1 and later). VRAM is in MiB. */
function mapGpu(stack: 'cuda' | 'rocm', names: { readonly version: string; readonly target: string }): MapRequirement {
  return (entry) => {
    const count = numberField(entry, `${stack}DeviceCountMin`) || numberField(entry, `${stack}DeviceCountMax`) || 1;
    return {
      runtimeConstraints: {
        gpu: {
          stack,
          device_count: count,
          driver_version: stringField(entry, names.version) ?? '',
          hardware_target: stringsField(entry, names.target),
          vram: Math.ceil((numberField(entry, `${stack}Vram`) ?? 0) * mib),
        },
      },
    };
  };
}

export const mapCuda = mapGpu('cuda', { version: 'cudaVersionMin', target: 'cudaComputeCapability' });
export const mapRocm = mapGpu('rocm', { version: 'rocmDriverVersion', target: 'rocmTarget' });
