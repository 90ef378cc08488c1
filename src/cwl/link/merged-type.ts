import type { CwlType, WorkflowStepInput } from '../model.ts';
import { arrayOf, isArray, itemsOfArray, membersOf, withoutNull } from './types.ts';

/** How the sources of a link become one value (CWL v1.2 Workflow, "Merging Multiple Inbound Data Links"). */
export interface Merging {
  readonly link: Pick<WorkflowStepInput, 'linkMerge' | 'pickValue'>;
  /** The sources are written as a list. */
  readonly isList: boolean;
}

/** What arrives of one source after linkMerge and pickValue. */
export function mergedType(type: CwlType, { link, isList }: Merging): CwlType {
  const { pickValue, linkMerge } = link;
  if (!isList) return pickValue === undefined ? type : picked(type, pickValue);
  if (pickValue === 'first_non_null' || pickValue === 'the_only_non_null') return withoutNull(flat(type, linkMerge));
  const item = flat(type, linkMerge);
  return arrayOf(pickValue === 'all_non_null' ? withoutNull(item) : item);
}

/** The items of an array where sources are flattened, the type itself elsewhere. */
function flat(type: CwlType, linkMerge: string): CwlType {
  if (linkMerge !== 'merge_flattened') return type;
  const items = membersOf(type).flatMap((member) => (isArray(member) ? membersOf(itemsOfArray(member)) : [member]));
  return items.length === 1 && items[0] !== undefined ? items[0] : items;
}

function picked(type: CwlType, pickValue: string): CwlType {
  if (!isArray(type)) return type;
  const items = withoutNull(itemsOfArray(type));
  return pickValue === 'all_non_null' ? arrayOf(items) : items;
}
