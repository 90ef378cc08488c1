import type { WorkflowStep } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import { jobError } from '../errors.ts';

/** A step's scatter (CWL v1.2, section "Scatter"). Elements are made one by one, when they are asked for. */
export interface ScatterPlan {
  readonly count: number;
  inputsAt(index: number): CwlObject;
  /** The flat results of all elements in the form that an output of the step has. */
  shape(results: readonly CwlValue[]): CwlValue;
}

type ScatteredStep = Pick<WorkflowStep, 'name' | 'scatter' | 'scatterMethod' | 'position'>;

export function planScatter(step: ScatteredStep, inputs: CwlObject): ScatterPlan {
  const arrays = step.scatter.map((id) => requireArray(step, id, inputs[id]));
  const lengths = arrays.map((array) => array.length);
  const isDotProduct = step.scatter.length === 1 || (step.scatterMethod ?? 'dotproduct') === 'dotproduct';
  if (isDotProduct) requireEqual(step, lengths);
  const dimensions = isDotProduct ? lengths.slice(0, 1) : lengths;
  const isNested = step.scatterMethod === 'nested_crossproduct' && step.scatter.length > 1;
  return {
    count: dimensions.reduce((product, length) => product * length, 1),
    inputsAt: (index) => {
      const element: Record<string, CwlValue | undefined> = { ...inputs };
      const positions = isDotProduct ? lengths.map(() => index) : splitIndex(index, lengths);
      for (const [i, id] of step.scatter.entries()) element[id] = arrays[i]?.[positions[i] ?? 0] ?? null;
      return element as CwlObject;
    },
    shape: (results) => (isNested ? nest(results, dimensions) : results),
  };
}

function requireArray(step: ScatteredStep, id: string, value: CwlValue | undefined): readonly CwlValue[] {
  if (Array.isArray(value)) return value as readonly CwlValue[];
  throw jobError(
    'job/bad-scatter',
    `scatter over ${id}: expected a list, got ${JSON.stringify(value ?? null).slice(0, 80)}`,
    {
      hint: 'link a list to it, or take it out of "scatter"',
      where: { ...step.position, step: step.name },
    },
  );
}

function requireEqual(step: ScatteredStep, lengths: readonly number[]): void {
  if (lengths.every((length) => length === lengths[0])) return;
  const found = step.scatter.map((id, i) => `${id}: ${lengths[i]}`).join(', ');
  throw jobError('job/bad-scatter', `dotproduct: expected lists of equal length, got ${found}`, {
    hint: 'make the lists equally long, or use a crossproduct',
    where: { ...step.position, step: step.name },
  });
}

/** The last input varies fastest. */
function splitIndex(index: number, lengths: readonly number[]): number[] {
  const positions: number[] = [];
  let rest = index;
  for (const length of lengths.toReversed()) {
    positions.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return positions;
}

/** `[a, b, c, d, e, f]` of 2 × 3 → `[[a, b, c], [d, e, f]]`; of 2 × 0: `[[], []]`. */
function nest(results: readonly CwlValue[], dimensions: readonly number[]): CwlValue {
  const [first = 0, ...rest] = dimensions;
  if (rest.length === 0) return results;
  const size = rest.reduce((product, length) => product * length, 1);
  return Array.from({ length: first }, (_, i) => nest(results.slice(i * size, (i + 1) * size), rest));
}
