import type { PickValue, Position, WorkflowStepInput } from '../../cwl/model.ts';
import type { CwlValue } from '../../cwl/values.ts';
import { jobError } from '../errors.ts';

/** Where a step input, a loop input or a workflow output comes from. */
export interface Link extends Pick<WorkflowStepInput, 'source' | 'sourceIsList' | 'linkMerge' | 'pickValue'> {
  readonly name: string;
  readonly position?: Position;
}

/** The value that its sources give to a sink: linkMerge, then pickValue (CWL v1.2, "Merging multiple inputs"). */
export function linkValue(link: Link, lookUp: (source: string) => CwlValue): CwlValue {
  const [only] = link.source;
  if (only === undefined) return null;
  const value = link.source.length === 1 && !link.sourceIsList ? lookUp(only) : merge(link, link.source.map(lookUp));
  return link.pickValue && Array.isArray(value) ? pick(link.pickValue, value as readonly CwlValue[], link) : value;
}

function merge(link: Link, values: readonly CwlValue[]): CwlValue {
  return link.linkMerge === 'merge_flattened' ? values.flat() : values;
}

function pick(method: PickValue, values: readonly CwlValue[], { name, position }: Link): CwlValue {
  const present = values.filter((value) => value !== null);
  if (method === 'all_non_null') return present;
  if (present.length === 0 || (method === 'the_only_non_null' && present.length > 1)) {
    const expected = method === 'first_non_null' ? 'a value that is not null' : 'exactly one value that is not null';
    throw jobError(
      'job/bad-link',
      `${name}: pickValue ${method} expected ${expected}, got ${present.length} of ${values.length}`,
      {
        hint: 'check which of the conditional steps ran',
        ...(position && { where: position }),
      },
    );
  }
  return present[0] ?? null;
}
