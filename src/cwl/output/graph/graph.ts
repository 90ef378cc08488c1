import type { Process, Workflow, WorkflowStep } from '../../model.ts';

/** What a drawing of a process shows. A parent stands before its children, and nodes in the order of the document. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphNode {
  /** Path of step names, with `in:` or `out:` before the name of a port: `align/in:reads`, `align/sort`. */
  readonly id: string;
  readonly kind: 'input' | 'output' | 'step' | 'group';
  readonly label: string;
  /** What else is to be said of a step: `scatter x, y`, `when`, `loop`. */
  readonly notes: readonly string[];
  readonly isScattered: boolean;
  readonly isConditional: boolean;
  /** The group that it lies in: a subworkflow's step. */
  readonly group?: string;
}

/** From an input, a step or a subworkflow's output; to a step, a subworkflow's input or an output. Never at a group. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** The input of the step, where its name is not that of the source. */
  readonly label?: string;
}

/** A workflow with its subworkflows as groups; any other process as one step between its inputs and outputs. */
export function toGraph(process: Process): Graph {
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  if (process.class === 'Workflow') addWorkflow({ nodes, edges }, process, '', undefined);
  else addSingle({ nodes, edges }, process);
  return { nodes, edges };
}

interface Draft {
  readonly nodes: GraphNode[];
  readonly edges: GraphEdge[];
}

const plain = { notes: [], isScattered: false, isConditional: false } as const;

function addSingle({ nodes, edges }: Draft, process: Process): void {
  const step = 'process';
  const label = process.label ?? process.id.split(/[/#]/).at(-1) ?? process.class;
  for (const { id } of process.inputs) {
    nodes.push({ id: `in:${id}`, kind: 'input', label: id, ...plain });
    edges.push({ from: `in:${id}`, to: step });
  }
  nodes.push({ id: step, kind: 'step', label, ...plain });
  for (const { id } of process.outputs) {
    nodes.push({ id: `out:${id}`, kind: 'output', label: id, ...plain });
    edges.push({ from: step, to: `out:${id}` });
  }
}

/** `path` is empty or ends with a slash. */
function addWorkflow(draft: Draft, workflow: Workflow, path: string, step: WorkflowStep | undefined): void {
  const { nodes, edges } = draft;
  const inside = path === '' ? {} : { group: path.slice(0, -1) };
  const groups = new Set(workflow.steps.filter(isGroup).map(({ name }) => name));
  const originOf = (source: string): string => {
    const at = source.indexOf('/');
    if (at < 0) return `${path}in:${source}`;
    const name = source.slice(0, at);
    return groups.has(name) ? `${path}${name}/out:${source.slice(at + 1)}` : path + name;
  };
  for (const id of inputsOf(workflow, step)) {
    nodes.push({ id: `${path}in:${id}`, kind: 'input', label: id, ...plain, ...inside });
  }
  for (const child of workflow.steps) {
    nodes.push({ ...toStepNode(child, path + child.name), ...inside });
    if (child.run.class === 'Workflow' && isGroup(child)) addWorkflow(draft, child.run, `${path}${child.name}/`, child);
    for (const input of child.in) {
      const to = isGroup(child) ? `${path}${child.name}/in:${input.id}` : path + child.name;
      for (const source of input.source) {
        const isNamed = source.split('/').at(-1) !== input.id;
        edges.push({ from: originOf(source), to, ...(isNamed ? { label: input.id } : {}) });
      }
    }
  }
  for (const { id, outputSource } of workflow.outputs) {
    nodes.push({ id: `${path}out:${id}`, kind: 'output', label: id, ...plain, ...inside });
    for (const source of outputSource) edges.push({ from: originOf(source), to: `${path}out:${id}` });
  }
}

/** A subworkflow without anything in it is drawn as a step. */
function isGroup({ run }: WorkflowStep): boolean {
  return run.class === 'Workflow' && run.inputs.length + run.steps.length + run.outputs.length > 0;
}

/** Those of the step that the subworkflow does not take serve `valueFrom` and `when`: they are shown beside its own. */
function inputsOf(workflow: Workflow, step: WorkflowStep | undefined): Set<string> {
  return new Set([...workflow.inputs, ...(step?.in ?? [])].map(({ id }) => id));
}

function toStepNode(step: WorkflowStep, id: string): GraphNode {
  const isScattered = step.scatter.length > 0;
  const isConditional = step.when !== undefined;
  return {
    id,
    kind: isGroup(step) ? 'group' : 'step',
    label: step.label ?? step.name,
    notes: [
      ...(isScattered ? [`scatter ${step.scatter.join(', ')}`] : []),
      ...(isConditional ? ['when'] : []),
      ...(step.loop ? ['loop'] : []),
    ],
    isScattered,
    isConditional,
  };
}
