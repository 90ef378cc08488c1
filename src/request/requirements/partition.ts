import type { MapRequirement } from '../contribution.ts';
import { stringsField } from '../fields.ts';

export const mapPartition: MapRequirement = (entry) => ({
  schedulingParameters: { partitions: stringsField(entry, 'partition') },
});
