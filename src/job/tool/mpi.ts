import { cwltoolPrefix } from '../../cwl/schema/requirement.ts';
import { jobError } from '../errors.ts';
import type { Expressions } from '../evaluate.ts';
import type { Requirements } from '../model.ts';
import { findRequirement } from '../requirements.ts';

/** What `cwltool:MPIRequirement` puts before a command. Fails with `job/bad-requirement`: without the launcher it would run, but alone. */
export async function evaluateLauncher(requirements: Requirements, expressions: Expressions): Promise<string[]> {
  const mpi = findRequirement(requirements, `${cwltoolPrefix}MPIRequirement`);
  if (!mpi) return [];
  const processes = await expressions.evaluate(mpi.fields.processes, 'MPIRequirement.processes');
  if (typeof processes === 'number' && Number.isSafeInteger(processes) && processes > 0)
    return ['mpirun', '-n', String(processes)];
  const problem = `MPIRequirement.processes: expected a whole number above 0, got ${JSON.stringify(processes)}`;
  throw jobError('job/bad-requirement', problem, {
    hint: 'correct the value, or the expression that gives it; leave the requirement out for one process without mpirun',
    where: mpi.position,
  });
}
