import type { Process } from '../cwl/model.ts';
import type { CwlObject } from '../cwl/values.ts';
import { type DiscoverOptions, discoverSecondaryFiles } from '../job/inputs/discover.ts';
import { toProcessInputs } from '../job/inputs/inputs.ts';
import type { InputStore } from './inputs.ts';

export interface RunInputServices extends Omit<DiscoverOptions, 'requirements'> {
  readonly store: InputStore;
}

/** The inputs of a whole run: defaults filled in, files beside them found, all of the host in Keep. */
export async function storeRunInputs(
  process: Process,
  given: CwlObject,
  { javascript, probe, store }: RunInputServices,
): Promise<CwlObject> {
  const requirements = { requirements: process.requirements, hints: process.hints };
  const inputs = toProcessInputs(process, given);
  return store.storeObject(await discoverSecondaryFiles(process, inputs, { javascript, requirements, probe }));
}
