import type { MapRequirement } from '../contribution.ts';
import { stringField } from '../fields.ts';

/** The project; the cluster itself is the caller's choice of API. */
export const mapClusterTarget: MapRequirement = (entry) => {
  const project = stringField(entry, 'project_uuid');
  return project === undefined ? {} : { attributes: { owner_uuid: project } };
};
