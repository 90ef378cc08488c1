import { arvadosPrefix } from '../../job/requirements.ts';
import type { Contribution, MapRequirement, RequestContext } from '../contribution.ts';
import { booleanField } from '../fields.ts';

/** `arv:UsePreemptible` decides, unless the user has forbidden it. */
export const mapPreemptible: MapRequirement = (entry, context) => {
  const wanted = booleanField(entry, 'usePreemptible');
  return wanted === undefined || context.options.preemptible === false ? {} : toPreemptible(wanted, context);
};

/** With `arv:PreemptionBehavior` one attempt only: whoever submitted it asks again for an instance that is not preemptible. */
export function toPreemptible(preemptible: boolean, { job }: RequestContext): Contribution {
  const behavior = job.requirements.find(({ class: name }) => name === `${arvadosPrefix}PreemptionBehavior`);
  const isOnce = preemptible && behavior?.fields.resubmitNonPreemptible === true;
  return { schedulingParameters: { preemptible }, ...(isOnce && { attributes: { container_count_max: 1 } }) };
}
