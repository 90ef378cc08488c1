import type { Requirement } from '../cwl/model.ts';
import type { CwlValue } from '../cwl/values.ts';
import { toProcessInputs } from '../job/inputs/inputs.ts';
import type { StepJob } from '../job/model.ts';
import type { InputStore } from './inputs.ts';

/** The job with the host files that its document names (defaults of inputs, entries of InitialWorkDirRequirement) in Keep. */
export async function storeDocumentFiles(job: StepJob, store: InputStore): Promise<StepJob> {
  const { requirements, hints } = job.requirements;
  return {
    ...job,
    inputs: await store.storeObject(toProcessInputs(job.process, job.inputs, job.name)),
    requirements: { requirements: await storeListings(requirements, store), hints: await storeListings(hints, store) },
  };
}

function storeListings(entries: readonly Requirement[], store: InputStore): Promise<Requirement[]> {
  return Promise.all(entries.map((entry) => storeListing(entry, store)));
}

/** A listing that is an expression is evaluated later, on inputs that are in Keep. */
async function storeListing(entry: Requirement, store: InputStore): Promise<Requirement> {
  const { listing } = entry.fields;
  if (entry.class !== 'InitialWorkDirRequirement' || typeof listing !== 'object') return entry;
  return { ...entry, fields: { ...entry.fields, listing: (await store.store(listing as CwlValue)) as typeof listing } };
}
