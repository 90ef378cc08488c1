import type { Process, Requirement } from '../cwl/model.ts';
import { requirementShapes } from '../cwl/schema/requirement.ts';
import { jobError, withPlace } from './errors.ts';
import type { EffectiveRequirement, Requirements } from './model.ts';

export { arvadosPrefix, cwltoolPrefix, hallmarkPrefix } from '../cwl/schema/requirement.ts';

export const noRequirements: Requirements = { requirements: [], hints: [] };

/**
 * What is in effect inside `inner` when `outer` encloses it (CWL v1.2, "Requirements and hints"): the most specific entry of a
 * class wins, and a requirement wins over a hint, also over a more specific one.
 */
export function inheritRequirements(outer: Requirements, inner: Requirements): Requirements {
  if (inner.requirements.length + inner.hints.length === 0) return outer;
  const requirements = mergeByClass(outer.requirements, inner.requirements);
  const required = new Set(requirements.map((entry) => entry.class));
  const hints = mergeByClass(outer.hints, inner.hints).filter((entry) => !required.has(entry.class));
  return { requirements, hints };
}

function mergeByClass(outer: readonly Requirement[], inner: readonly Requirement[]): Requirement[] {
  const merged = new Map<string, Requirement>();
  for (const entry of [...outer, ...inner]) merged.set(entry.class, entry);
  return [...merged.values()];
}

export function findRequirement(effective: Requirements, name: string): EffectiveRequirement | undefined {
  const required = effective.requirements.find((entry) => entry.class === name);
  if (required) return { ...required, isHint: false };
  const hint = effective.hints.find((entry) => entry.class === name);
  return hint && { ...hint, isHint: true };
}

/** What `task` gives. Its errors stand at the requirement, where they name no place of their own. */
export async function atRequirement<T>(effective: Requirements, name: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    const requirement = findRequirement(effective, name);
    throw requirement ? withPlace(error, requirement.position) : error;
  }
}

/**
 * Refuses, before anything runs, a process with a `requirements` entry that the runner does not know (CWL v1.2, exit code 33),
 * in itself or in any process that it runs, and one that holds an Operation. Unknown hints are ignored.
 */
export function refuseUnsupported(process: Process): void {
  const waiting: Process[] = [process];
  const seen = new Set<Process>();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    refuseUnknown(next.requirements);
    if (next.class === 'Operation') throw unsupportedOperation(next);
    if (next.class !== 'Workflow') continue;
    for (const step of next.steps) {
      refuseUnknown(step.requirements);
      waiting.push(step.run);
    }
  }
}

export function unsupportedOperation(operation: Process) {
  return jobError('job/unsupported-process', `an Operation cannot be run: ${operation.label ?? operation.id}`, {
    hint: 'replace it with a CommandLineTool, a Workflow or an ExpressionTool',
    where: operation.position,
  });
}

function refuseUnknown(requirements: readonly Requirement[]): void {
  for (const entry of requirements) {
    if (requirementShapes.has(entry.class)) continue;
    throw jobError('job/unsupported-requirement', `the requirement ${entry.class} is not supported`, {
      hint: 'move it to "hints" if the process also works without it',
      where: entry.position,
    });
  }
}
