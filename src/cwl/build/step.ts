import { checkReferences } from '../link/reference.ts';
import type { CommandLineTool, Process, Requirement, StepLoop, WorkflowStep, WorkflowStepInput } from '../model.ts';
import { cwltoolPrefix } from '../schema/requirement.ts';
import { booleanOf, field, itemsOf, type Node, positionOf, stringOf } from '../syntax/node.ts';
import { expandPrefix, shortName } from '../syntax/uri.ts';
import { readLoadListing, stringField } from './binding.ts';
import type { BuildContext } from './context.ts';
import { readValue } from './local-file.ts';
import { isMerged, readMerge, readSources } from './parameter.ts';
import { checkUnique, documentation, type Item, readItems, readNames } from './read.ts';
import { readRequirements } from './requirement.ts';

const loopClass = `${cwltoolPrefix}Loop`;
const methods = new Set(['dotproduct', 'nested_crossproduct', 'flat_crossproduct']);

export type ReadRun = (node: Node, step: string, context: BuildContext) => Process;

export function readStep(item: Item, context: BuildContext, readRun: ReadRun): WorkflowStep {
  const { id: name, idSpan, node } = item;
  const requirements = [...stepRequirements(name, node, context)];
  const hints = readRequirements(field(node, 'hints'), true, context);
  const classes = [...requirements, ...hints].map((requirement) => requirement.class);
  const runContext = { ...context, inherited: new Set([...context.inherited, ...classes]) };
  const runNode = field(node, 'run');
  const scatterMethod = stringOf(field(node, 'scatterMethod'));
  const loop = readLoop(node, context);
  const step: WorkflowStep = {
    name,
    ...documentation(node),
    run: runNode ? readRun(runNode, name, runContext) : emptyTool(node),
    in: readStepInputs(field(node, 'in'), context),
    out: readOut(field(node, 'out'), context),
    scatter: readNames(field(node, 'scatter'), shortName, context),
    ...(scatterMethod !== undefined && methods.has(scatterMethod) && { scatterMethod: scatterMethod as 'dotproduct' }),
    ...(loop ? {} : stringField(node, 'when')),
    ...(loop && { loop }),
    requirements: requirements.filter((requirement) => requirement.class !== loopClass),
    hints,
    position: positionOf(idSpan),
  };
  checkStepReferences(node, step, context);
  context.load.spans.set(step, idSpan);
  return step;
}

/** In a step, `inputs` are those that it has, whether its process knows them or not. */
function checkStepReferences(node: Node, step: WorkflowStep, context: BuildContext): void {
  const names = [...step.in.map(({ id }) => id), ...step.run.inputs.map(({ id }) => id)];
  for (const part of ['in', 'when']) {
    const value = field(node, part);
    if (value && !step.loop) checkReferences(value, names, context);
  }
}

function stepRequirements(name: string, node: Node, context: BuildContext): readonly Requirement[] {
  const own = readRequirements(field(node, 'requirements'), false, context);
  const id = `${node.source.uri}#${context.scope === '' ? name : `${context.scope}/${name}`}`;
  return withOverrides(own, [id, `${node.source.uri}#${name}`], context);
}

/** The requirements with those that the overrides for one of `ids` replace. */
export function withOverrides(
  own: readonly Requirement[],
  ids: readonly string[],
  context: BuildContext,
): readonly Requirement[] {
  return context.load.overrides
    .filter(({ target }) => ids.includes(target))
    .reduce((current, { requirements }) => replaceByClass(current, requirements, context), own);
}

/** The requirements, those of the classes that `others` holds replaced by them. */
export function replaceByClass(
  own: readonly Requirement[],
  others: Node,
  context: BuildContext,
): readonly Requirement[] {
  const replacing = readRequirements(others, false, context);
  const replaced = new Set(replacing.map((requirement) => requirement.class));
  return [...own.filter((requirement) => !replaced.has(requirement.class)), ...replacing];
}

function readStepInputs(
  node: Node | undefined,
  context: BuildContext,
  sourceField = 'source',
): readonly WorkflowStepInput[] {
  const items = readItems(node, 'id', sourceField);
  checkUnique(items, 'step input', context);
  return items.map((item) => readStepInput(item, context, sourceField));
}

function readStepInput({ id, idSpan, node }: Item, context: BuildContext, sourceField: string): WorkflowStepInput {
  const source = field(node, sourceField);
  const defaultNode = field(node, 'default');
  const loadContents = booleanOf(field(node, 'loadContents'));
  const loadListing = readLoadListing(field(node, 'loadListing'));
  const input: WorkflowStepInput = {
    id,
    source: readSources(source, context),
    sourceIsList: isMerged(source, node),
    ...readMerge(node),
    ...(defaultNode && { default: readValue(defaultNode, context) }),
    ...stringField(node, 'valueFrom'),
    ...(loadContents !== undefined && { loadContents }),
    ...(loadListing && { loadListing }),
    position: positionOf(idSpan),
  };
  context.load.spans.set(input, source && source.kind === 'scalar' ? source : idSpan);
  return input;
}

function readOut(node: Node | undefined, context: BuildContext): readonly string[] {
  const names = readNames(node, shortName, context);
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    const place = context.load.places.get(names)?.[index] ?? node;
    if (seen.has(name) && place)
      context.problems.error('duplicate-id', place, `duplicate step output ${JSON.stringify(name)}`);
    seen.add(name);
  }
  return names;
}

/** `cwltool:Loop`, or `loop` with `when` of the v1.3 draft. */
function readLoop(node: Node, context: BuildContext): StepLoop | undefined {
  const requirement = findLoopRequirement(field(node, 'requirements'), context);
  if (requirement) {
    for (const other of ['when', 'scatter']) {
      const clash = field(node, other);
      if (clash) context.problems.error('bad-value', clash, `cwltool:Loop cannot be used beside "${other}"`);
    }
    return {
      when: stringOf(field(requirement, 'loopWhen')) ?? '',
      in: readStepInputs(field(requirement, 'loop'), context, 'loopSource'),
      outputMethod: stringOf(field(requirement, 'outputMethod')) === 'all' ? 'all' : 'last',
    };
  }
  const loop = field(node, 'loop');
  if (!loop) return undefined;
  const when = stringOf(field(node, 'when'));
  if (when === undefined) context.problems.error('missing-field', loop, 'a step with "loop" needs the field "when"');
  if (field(node, 'scatter')) context.problems.error('bad-value', loop, '"loop" cannot be used beside "scatter"');
  const isAll = stringOf(field(node, 'outputMethod')) === 'all_iterations';
  return { when: when ?? '', in: readStepInputs(loop, context, 'outputSource'), outputMethod: isAll ? 'all' : 'last' };
}

function findLoopRequirement(node: Node | undefined, context: BuildContext): Node | undefined {
  const isLoop = (name: string | undefined): boolean => expandPrefix(name ?? '', context.namespaces) === loopClass;
  if (node?.kind === 'map') return [...node.entries.values()].find(({ key }) => isLoop(key))?.value;
  return itemsOf(node).find((item) => isLoop(stringOf(field(item, 'class'))));
}

/** Stands for a process that could not be read; the load fails with the problem that says why. */
export function emptyTool(node: Node): CommandLineTool {
  return {
    class: 'CommandLineTool',
    id: '',
    inputs: [],
    outputs: [],
    requirements: [],
    hints: [],
    cwlVersion: 'v1.2',
    position: positionOf(node),
    baseCommand: [],
    arguments: [],
    successCodes: [0],
    temporaryFailCodes: [],
    permanentFailCodes: [],
  };
}
