import type { CwlObject, CwlValue } from '../cwl/values.ts';
import { toProcessInputs } from '../job/inputs.ts';
import type { EffectiveRequirement, StepJob } from '../job/model.ts';
import type { InputStore } from './inputs.ts';

/** The job with the host files that its document names (defaults of inputs, entries of InitialWorkDirRequirement) in Keep. */
export async function storeDocumentFiles(job: StepJob, store: InputStore): Promise<StepJob> {
  const inputs = await store.storeObject(toProcessInputs(job.process, job.inputs, job.name));
  const { requirements, hints } = job.requirements;
  const storeAll = <T extends Pick<EffectiveRequirement, 'class' | 'fields'>>(entries: readonly T[]): Promise<T[]> =>
    Promise.all(
      entries.map(async (entry) =>
        entry.class === 'InitialWorkDirRequirement' && typeof entry.fields.listing === 'object'
          ? {
              ...entry,
              fields: {
                ...entry.fields,
                listing: (await store.store(entry.fields.listing as CwlValue)) as typeof entry.fields.listing,
              },
            }
          : entry,
      ),
    );
  return {
    ...job,
    inputs: inputs as CwlObject,
    requirements: { requirements: await storeAll(requirements), hints: await storeAll(hints) },
  };
}
