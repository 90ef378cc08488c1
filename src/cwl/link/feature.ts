import type { BuildContext } from '../build/context.ts';
import type { Workflow, WorkflowStep } from '../model.ts';

/** Parts of the language that a workflow has to ask for (CWL v1.2 Workflow, "Workflow requirements"). */
export function checkFeatures(workflow: Workflow, context: BuildContext): void {
  for (const step of workflow.steps) {
    const span = context.load.spans.get(step);
    if (!span) continue;
    const classes = new Set([...step.requirements, ...step.hints].map((requirement) => requirement.class));
    for (const [feature, why] of neededBy(step)) {
      if (context.inherited.has(feature) || classes.has(feature)) continue;
      const message = `step ${JSON.stringify(step.name)} ${why} and needs ${feature}`;
      context.problems.error(
        'missing-field',
        span,
        message,
        `add "${feature}: {}" to the requirements of the workflow`,
      );
    }
  }
  const output = workflow.outputs.find(({ outputSource }) => outputSource.length > 1);
  const span = output && context.load.spans.get(output);
  if (span && !context.inherited.has('MultipleInputFeatureRequirement')) {
    const message = `workflow output ${JSON.stringify(output.id)} has several sources and needs MultipleInputFeatureRequirement`;
    context.problems.error(
      'missing-field',
      span,
      message,
      'add "MultipleInputFeatureRequirement: {}" to the requirements',
    );
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
