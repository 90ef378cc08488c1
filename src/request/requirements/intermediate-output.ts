import type { MapRequirement } from '../contribution.ts';
import { numberField } from '../fields.ts';

export const mapIntermediateOutput: MapRequirement = (entry) => {
  const seconds = numberField(entry, 'outputTTL');
  return seconds === undefined ? {} : { attributes: { output_ttl: seconds } };
};
