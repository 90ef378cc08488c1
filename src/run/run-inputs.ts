import type { Process } from '../cwl/model.ts';
import type { Node } from '../cwl/syntax/node.ts';
import type { CwlObject } from '../cwl/values.ts';
import { type DiscoverOptions, discoverSecondaryFiles } from '../job/inputs/discover.ts';
import { toProcessInputs } from '../job/inputs/inputs.ts';
import type { InputStore } from './inputs.ts';

/** Values of inputs, and the text that they were read from. */
export interface RunInputs {
  readonly inputs: CwlObject;
  readonly inputsRoot: Node;
}

export interface RunInputServices extends Pick<DiscoverOptions, 'javascript' | 'probe'> {
  readonly store: InputStore;
}

/** The inputs of a whole run: defaults filled in, files beside them found, all of the host in Keep. */
export async function storeRunInputs(
  process: Process,
  { inputs: given, inputsRoot: root }: RunInputs,
  { javascript, probe, store }: RunInputServices,
): Promise<CwlObject> {
  const requirements = { requirements: process.requirements, hints: process.hints };
  const inputs = toProcessInputs(process, given);
  return store.storeObject(await discoverSecondaryFiles(process, inputs, { javascript, requirements, probe, root }));
}
