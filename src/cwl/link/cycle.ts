import type { BuildContext } from '../build/context.ts';
import type { Workflow } from '../model.ts';

/** Reports steps that wait for each other. Iterative, for workflows of any length. */
export function checkCycles(workflow: Workflow, { problems, load }: BuildContext): void {
  const steps = new Map(workflow.steps.map((step) => [step.name, step]));
  const waits = new Map(
    workflow.steps.map((step) => [
      step.name,
      step.in.flatMap(({ source }) => source).flatMap((name) => stepOf(name, steps) ?? []),
    ]),
  );
  const left = new Map([...waits].map(([name, on]) => [name, new Set(on).size]));
  const waiters = new Map<string, string[]>();
  for (const [name, on] of waits)
    for (const other of new Set(on)) waiters.set(other, [...(waiters.get(other) ?? []), name]);
  const ready = [...left].filter(([, count]) => count === 0).map(([name]) => name);
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    left.delete(name);
    for (const waiter of waiters.get(name) ?? []) {
      const count = (left.get(waiter) ?? 0) - 1;
      if (left.has(waiter)) left.set(waiter, count);
      if (count === 0) ready.push(waiter);
    }
  }
  const cycle = findCycle(left, waits);
  const first = cycle[0] === undefined ? undefined : steps.get(cycle[0]);
  const span = first && load.spans.get(first);
  if (span) problems.error('cycle', span, `steps wait for each other: ${[...cycle, cycle[0]].join(' → ')}`);
}

function stepOf(source: string, steps: ReadonlyMap<string, unknown>): string | undefined {
  const at = source.indexOf('/');
  const name = at < 0 ? undefined : source.slice(0, at);
  return name !== undefined && steps.has(name) ? name : undefined;
}

/** Any one circle among the steps that are left; each of them waits for another that is left. */
function findCycle(
  left: ReadonlyMap<string, number>,
  waits: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const path: string[] = [];
  const places = new Map<string, number>();
  let [at] = left.keys();
  while (at !== undefined) {
    const place = places.get(at);
    if (place !== undefined) return path.slice(place).reverse();
    places.set(at, path.length);
    path.push(at);
    at = waits.get(at)?.find((name) => left.has(name));
  }
  return [];
}
