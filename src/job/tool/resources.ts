import { toNumber } from '../../core/numbers.ts';
import { mib } from '../../core/units.ts';
import { jobError } from '../errors.ts';
import type { Expressions } from '../evaluate.ts';
import type { JobPaths, JobResources, Requirements, RuntimeContext } from '../model.ts';
import { findRequirement } from '../requirements.ts';

/**
 * ResourceRequirement (CWL v1.2, section 5.9): the minimum is reserved; where only the maximum is given, that. Defaults: one
 * core, 256 MiB (1024 in v1.0), 1024 MiB for each directory.
 */
export async function evaluateResources(
  requirements: Requirements,
  expressions: Expressions,
  cwlVersion: string,
): Promise<JobResources> {
  const fields = findRequirement(requirements, 'ResourceRequirement')?.fields ?? {};
  const range = async (name: string, otherwise: number): Promise<{ reserved: number; maximum: number | undefined }> => {
    const minimum = await evaluateAmount(fields[`${name}Min`], `${name}Min`, expressions);
    const maximum = await evaluateAmount(fields[`${name}Max`], `${name}Max`, expressions);
    if (minimum !== undefined && maximum !== undefined && maximum < minimum) {
      throw badAmount(`${name}Max`, `expected ${name}Max to be at least ${name}Min (${minimum}), got ${maximum}`);
    }
    return { reserved: minimum ?? maximum ?? otherwise, maximum };
  };
  const cores = await range('cores', 1);
  const ram = await range('ram', cwlVersion === 'v1.0' ? 1024 : 256);
  const outdir = await range('outdir', 1024);
  const tmpdir = await range('tmpdir', 1024);
  return {
    cores: cores.reserved,
    ramBytes: toBytes(ram.reserved),
    outdirBytes: toBytes(outdir.reserved),
    tmpdirBytes: toBytes(tmpdir.reserved),
    ...(outdir.maximum !== undefined && { outdirMaxBytes: toBytes(outdir.maximum) }),
    ...(tmpdir.maximum !== undefined && { tmpdirMaxBytes: toBytes(tmpdir.maximum) }),
  };
}

const toBytes = (mebibytes: number): number => Math.ceil(mebibytes) * mib;

async function evaluateAmount(field: unknown, name: string, expressions: Expressions): Promise<number | undefined> {
  if (field === undefined || field === null) return undefined;
  const value = toNumber(await expressions.evaluate(field, `ResourceRequirement.${name}`));
  if (value === null) return undefined;
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw badAmount(name, `expected ${name} to be a number that is not negative, got ${JSON.stringify(value)}`);
}

function badAmount(field: string, problem: string) {
  return jobError('job/bad-requirement', `ResourceRequirement: ${problem}`, {
    where: { field: `ResourceRequirement.${field}` },
    hint: 'amounts are numbers: cores, and MiB for ram, tmpdir and outdir',
  });
}

/** The `runtime` of expressions: whole cores, rounded up, and MiB. */
export function toRuntime(paths: JobPaths, resources: JobResources): RuntimeContext {
  return {
    outdir: paths.outdir,
    tmpdir: paths.tmpdir,
    cores: Math.max(1, Math.ceil(resources.cores)),
    ram: resources.ramBytes / mib,
    outdirSize: resources.outdirBytes / mib,
    tmpdirSize: resources.tmpdirBytes / mib,
  };
}
