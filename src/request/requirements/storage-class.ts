import type { MapRequirement } from '../contribution.ts';
import { stringsField } from '../fields.ts';

export const mapStorageClass: MapRequirement = (entry) => {
  const classes = stringsField(entry, 'intermediateStorageClass');
  return classes.length === 0 ? {} : { attributes: { output_storage_classes: classes } };
};
