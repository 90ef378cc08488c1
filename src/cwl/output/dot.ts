import type { Process, Workflow, WorkflowStep } from '../model.ts';

/**
 * The workflow as a graph in the DOT language: inputs, steps and outputs, subworkflows as clusters. A step that is scattered is
 * drawn as several sheets, a conditional one with a dashed line.
 */
export function toDot(process: Process): string {
  const lines = [
    'digraph workflow {',
    '  rankdir=TB;',
    '  graph [fontname="sans-serif", compound=true];',
    '  node [fontname="sans-serif", fontsize=11, shape=box, style="rounded,filled", fillcolor=white];',
    '  edge [fontname="sans-serif", fontsize=9];',
    ...(process.class === 'Workflow' ? drawWorkflow(process, '', '  ') : drawSingle(process)),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function drawSingle(process: Process): readonly string[] {
  const name = 'process';
  return [
    `  ${quote(name)} [label=${quote(process.label ?? process.id.split('/').at(-1) ?? process.class)}];`,
    ...process.inputs.flatMap(({ id }) => [
      `  ${drawPort(`in:${id}`, id)}`,
      `  ${quote(`in:${id}`)} -> ${quote(name)};`,
    ]),
    ...process.outputs.flatMap(({ id }) => [
      `  ${drawPort(`out:${id}`, id)}`,
      `  ${quote(name)} -> ${quote(`out:${id}`)};`,
    ]),
  ];
}

const drawPort = (node: string, label: string): string =>
  `${quote(node)} [label=${quote(label)}, shape=ellipse, fillcolor="#e8f0fe"];`;

/** Nodes of a workflow are named by the path of steps to it; an input of a subworkflow is a node inside its cluster. */
function drawWorkflow(workflow: Workflow, path: string, indent: string): readonly string[] {
  return [
    ...workflow.inputs.map(({ id }) => indent + drawPort(`${path}in:${id}`, id)),
    ...workflow.steps.flatMap((step) => drawStep(step, path, indent)),
    ...workflow.outputs.map(({ id }) => indent + drawPort(`${path}out:${id}`, id)),
    ...workflow.steps.flatMap((step) =>
      step.in.flatMap((input) =>
        input.source.map((source) => {
          const label = source.split('/').at(-1) === input.id ? '' : ` [label=${quote(input.id)}]`;
          return `${indent}${originOf(source, workflow, path)} -> ${targetOf(step, input.id, path)}${label};`;
        }),
      ),
    ),
    ...workflow.outputs.flatMap(({ id, outputSource }) =>
      outputSource.map((source) => `${indent}${originOf(source, workflow, path)} -> ${quote(`${path}out:${id}`)};`),
    ),
  ];
}

function drawStep(step: WorkflowStep, path: string, indent: string): readonly string[] {
  const notes = [
    ...(step.scatter.length > 0 ? [`scatter ${step.scatter.join(', ')}`] : []),
    ...(step.when !== undefined ? ['when'] : []),
    ...(step.loop ? ['loop'] : []),
  ];
  const label = [step.label ?? step.name, ...(notes.length > 0 ? [`(${notes.join('; ')})`] : [])].join('\n');
  const style = step.when === undefined ? '' : ', style="rounded,filled,dashed"';
  const inner = `${path}${step.name}/`;
  if (step.run.class !== 'Workflow') {
    const sheets = step.scatter.length > 0 ? ', peripheries=2' : '';
    return [`${indent}${quote(path + step.name)} [label=${quote(label)}${sheets}${style}];`];
  }
  return [
    `${indent}subgraph ${quote(`cluster_${inner}`)} {`,
    `${indent}  label=${quote(label)}; style="${step.when === undefined ? 'rounded' : 'rounded,dashed'}"; fontsize=11;`,
    ...drawWorkflow(step.run, inner, `${indent}  `),
    `${indent}}`,
  ];
}

function originOf(source: string, workflow: Workflow, path: string): string {
  const at = source.indexOf('/');
  if (at < 0) return quote(`${path}in:${source}`);
  const step = workflow.steps.find(({ name }) => name === source.slice(0, at));
  return quote(
    step?.run.class === 'Workflow' ? `${path}${step.name}/out:${source.slice(at + 1)}` : path + source.slice(0, at),
  );
}

function targetOf(step: WorkflowStep, input: string, path: string): string {
  const isInside = step.run.class === 'Workflow' && step.run.inputs.some(({ id }) => id === input);
  return quote(isInside ? `${path}${step.name}/in:${input}` : path + step.name);
}

const quote = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
