import type { BuildContext } from '../build/context.ts';
import type { Workflow, WorkflowStep } from '../model.ts';

/** What the reference implementation asks for when it loads a workflow; the others only when it runs one. */
const strict = new Set(['SubworkflowFeatureRequirement', 'ScatterFeatureRequirement']);

/**
 * Parts of the language that a workflow has to ask for (CWL v1.2 Workflow, "Workflow requirements"). A part of a larger workflow
 * may count on what is asked for around it, so that most are warnings.
 */
export function checkFeatures(workflow: Workflow, context: BuildContext): void {
  for (const step of workflow.steps) {
    const span = context.load.spans.get(step);
    if (!span) continue;
    const classes = new Set([...step.requirements, ...step.hints].map((requirement) => requirement.class));
    for (const [feature, why] of neededBy(step)) {
      if (context.inherited.has(feature) || classes.has(feature)) continue;
      const message = `step ${JSON.stringify(step.name)} ${why} and needs ${feature}`;
      const hint = `add "${feature}: {}" to the requirements of the workflow`;
      if (strict.has(feature)) context.problems.error('missing-field', span, message, hint);
      else context.problems.warn('missing-field', span, message, hint);
    }
  }
  const output = workflow.outputs.find(({ outputSource }) => outputSource.length > 1);
  const span = output && context.load.spans.get(output);
  if (span && !context.inherited.has('MultipleInputFeatureRequirement')) {
    const message = `workflow output ${JSON.stringify(output.id)} has several sources and needs MultipleInputFeatureRequirement`;
    const hint = 'add "MultipleInputFeatureRequirement: {}" to the requirements';
    context.problems.warn('missing-field', span, message, hint);
  }
}

function neededBy(step: WorkflowStep): readonly (readonly [feature: string, why: string])[] {
  return [
    ...(step.run.class === 'Workflow' ? [['SubworkflowFeatureRequirement', 'runs a workflow'] as const] : []),
    ...(step.scatter.length > 0 ? [['ScatterFeatureRequirement', 'scatters'] as const] : []),
    ...(step.in.some(({ source }) => source.length > 1)
      ? [['MultipleInputFeatureRequirement', 'has an input of several sources'] as const]
      : []),
    ...(step.in.some(({ valueFrom }) => valueFrom !== undefined)
      ? [['StepInputExpressionRequirement', 'has an input with valueFrom'] as const]
      : []),
  ];
}
