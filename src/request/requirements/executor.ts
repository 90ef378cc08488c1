import type { MapRequirement } from '../contribution.ts';
import { stringField } from '../fields.ts';

/** `hm:Executor`: this step needs that engine, whatever the cluster takes by default. */
export const mapExecutor: MapRequirement = (entry) => {
  const name = stringField(entry, 'executor');
  if (name === undefined) return {};
  return { schedulingParameters: { 'hm:executor': name === 'singularity' ? 'apptainer' : name } };
};
