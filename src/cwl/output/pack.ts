import type { JsonObject, JsonValue } from '../../core/json.ts';
import type {
  InputParameter,
  OutputParameter,
  Process,
  Requirement,
  StepLoop,
  Workflow,
  WorkflowStep,
  WorkflowStepInput,
} from '../model.ts';
import { cwltoolPrefix } from '../schema/requirement.ts';
import { shortName, withoutFragment } from '../syntax/uri.ts';
import { packFileFields, packType } from './pack-type.ts';

/** One document of CWL v1.2 that holds `process` as `#main` and everything that it runs; nothing in it refers to another document. */
export function pack(process: Process): JsonObject {
  const names = nameProcesses(process);
  const graph = [...names].map(([member, name]) => packProcess(member, name, names));
  return { cwlVersion: 'v1.2', $graph: graph };
}

/** As `pack`, without `$graph` where there is one process: the document as it is after loading, in CWL v1.2. */
export function unfold(process: Process): JsonObject {
  const names = nameProcesses(process);
  return names.size === 1 ? { cwlVersion: 'v1.2', ...packProcess(process, 'main', names) } : pack(process);
}

type Names = ReadonlyMap<Process, string>;

/** A name for each process, `main` first; a process that several steps run is there once. */
function nameProcesses(start: Process): Names {
  const names = new Map<Process, string>([[start, 'main']]);
  const taken = new Set(['main']);
  for (const process of names.keys()) {
    for (const { run } of process.class === 'Workflow' ? process.steps : []) {
      if (names.has(run)) continue;
      const name = freeName(run, taken);
      taken.add(name);
      names.set(run, name);
    }
  }
  return names;
}

function freeName(process: Process, taken: ReadonlySet<string>): string {
  const fragment = process.id.includes('#') ? process.id.slice(process.id.indexOf('#') + 1) : '';
  const base = (fragment.replaceAll('/', '_') || shortName(withoutFragment(process.id)) || process.class).replace(
    /[^\w.-]/g,
    '_',
  );
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base}_${count}`;
    if (!taken.has(name)) return name;
  }
}

function packProcess(process: Process, name: string, names: Names): JsonObject {
  const { label, doc, requirements, hints } = process;
  return {
    class: process.class,
    id: `#${name}`,
    ...(label !== undefined && { label }),
    ...(doc !== undefined && { doc }),
    inputs: process.inputs.map((input) => packInput(input, name)),
    outputs: process.outputs.map((output) => packOutput(output, name, process.class === 'Workflow')),
    ...packRequirements('requirements', requirements),
    ...packRequirements('hints', hints),
    ...packOwnFields(process, name, names),
  };
}

function packOwnFields(process: Process, name: string, names: Names): JsonObject {
  switch (process.class) {
    case 'Operation':
      return {};
    case 'ExpressionTool':
      return { expression: process.expression };
    case 'Workflow':
      return { steps: packSteps(process, name, names) };
    case 'CommandLineTool': {
      const { stdin, stdout, stderr } = process;
      return {
        ...(process.baseCommand.length > 0 && { baseCommand: process.baseCommand }),
        arguments: process.arguments.map((argument) => (typeof argument === 'string' ? argument : { ...argument })),
        ...(stdin !== undefined && { stdin }),
        ...(stdout !== undefined && { stdout }),
        ...(stderr !== undefined && { stderr }),
        successCodes: process.successCodes,
        temporaryFailCodes: process.temporaryFailCodes,
        permanentFailCodes: process.permanentFailCodes,
      };
    }
  }
}

function packInput(input: InputParameter, process: string): JsonObject {
  const { loadListing, inputBinding } = input;
  return {
    ...packParameter(input, process),
    ...(input.hasDefault && { default: input.default ?? null }),
    ...(inputBinding && { inputBinding: { ...inputBinding } }),
    ...(input.loadContents && { loadContents: true }),
    ...(loadListing && { loadListing }),
  };
}

function packOutput(output: OutputParameter, process: string, isWorkflow: boolean): JsonObject {
  const { outputBinding } = output;
  return {
    ...packParameter(output, process),
    ...(outputBinding && !isWorkflow && { outputBinding: { ...outputBinding } }),
    ...(isWorkflow && packSource('outputSource', output.outputSource, output.outputSourceIsList, process)),
    ...(isWorkflow && packMerge(output, output.outputSourceIsList)),
  };
}

function packParameter(parameter: InputParameter | OutputParameter, process: string): JsonObject {
  const { id, label, doc, type, streamable } = parameter;
  return {
    id: `#${process}/${id}`,
    ...(label !== undefined && { label }),
    ...(doc !== undefined && { doc }),
    type: packType(type),
    ...packFileFields(parameter),
    ...(streamable && { streamable }),
  };
}

function packSteps(workflow: Workflow, process: string, names: Names): readonly JsonObject[] {
  return workflow.steps.map((step) => {
    const id = `#${process}/${step.name}`;
    const { label, doc, scatterMethod, when } = step;
    return {
      id,
      ...(label !== undefined && { label }),
      ...(doc !== undefined && { doc }),
      run: `#${names.get(step.run) ?? ''}`,
      in: step.in.map((input) => packStepInput(input, id, process, 'source')),
      out: step.out.map((out) => `${id}/${out}`),
      ...(step.scatter.length > 0 && { scatter: step.scatter.map((input) => `${id}/${input}`) }),
      ...(scatterMethod && { scatterMethod }),
      ...(when !== undefined && { when }),
      ...packRequirements('requirements', step.requirements, step.loop && packLoop(step, step.loop, process)),
      ...packRequirements('hints', step.hints),
    };
  });
}

function packStepInput(input: WorkflowStepInput, step: string, process: string, sourceField: string): JsonObject {
  const { valueFrom, loadContents, loadListing } = input;
  return {
    id: `${step}/${input.id}`,
    ...packSource(sourceField, input.source, input.sourceIsList, process),
    ...packMerge(input, input.sourceIsList),
    ...(input.default !== undefined && { default: input.default }),
    ...(valueFrom !== undefined && { valueFrom }),
    ...(loadContents !== undefined && { loadContents }),
    ...(loadListing && { loadListing }),
  };
}

function packSource(field: string, sources: readonly string[], isList: boolean, process: string): JsonObject {
  const full = sources.map((source) => `#${process}/${source}`);
  const [only] = full;
  if (only === undefined) return {};
  return { [field]: isList ? full : only };
}

/** linkMerge is written wherever sources are merged: it makes a list of one source a list. */
function packMerge(sink: Pick<WorkflowStepInput, 'linkMerge' | 'pickValue'>, isList: boolean): JsonObject {
  const { linkMerge, pickValue } = sink;
  return { ...(isList && { linkMerge }), ...(pickValue && { pickValue }) };
}

function packLoop(step: WorkflowStep, loop: StepLoop, process: string): JsonObject {
  const inputs = loop.in.map((input) => ({ ...packStepInput(input, step.name, process, 'loopSource'), id: input.id }));
  return { class: `${cwltoolPrefix}Loop`, loopWhen: loop.when, loop: inputs, outputMethod: loop.outputMethod };
}

/** Types are in place already, so SchemaDefRequirement has nothing left to say. */
function packRequirements(
  field: 'requirements' | 'hints',
  requirements: readonly Requirement[],
  more?: JsonObject,
): JsonObject {
  const packed: JsonValue[] = requirements
    .filter((requirement) => requirement.class !== 'SchemaDefRequirement')
    .map((requirement) => ({ class: requirement.class, ...requirement.fields }));
  if (more) packed.push(more);
  return packed.length > 0 ? { [field]: packed } : {};
}
