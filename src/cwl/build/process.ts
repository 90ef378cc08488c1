import { isHallmarkError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import { type CheckContext, checkRecord } from '../check.ts';
import { processesOf, selectProcess } from '../document.ts';
import { checkWorkflow } from '../link/check.ts';
import { checkReferences } from '../link/reference.ts';
import type { Process, ProcessBase, Requirement, Workflow } from '../model.ts';
import { processShapes } from '../schema/process.ts';
import { describe, field, type MapNode, type Node, positionOf, stringOf } from '../syntax/node.ts';
import { fragmentOf, resolveUri, vocabularyName } from '../syntax/uri.ts';
import { type BuildContext, TypeScope } from './context.ts';
import { readInputs, readOutputs } from './parameter.ts';
import { checkUnique, documentation, readItems } from './read.ts';
import { readRequirements, requirementField } from './requirement.ts';
import { emptyTool, readStep, replaceByClass, withOverrides } from './step.ts';
import { readTool } from './tool.ts';
import { defineTypes } from './type.ts';
import { readVersion } from './version.ts';

/** The process that `node` holds; whatever is wrong with it goes to the problems. */
export function readProcess(node: MapNode, outer: BuildContext, fallbackScope = ''): Process {
  const known = outer.load.processes.get(node);
  if (known) return known;
  const context = enter(node, outer, fallbackScope);
  const className = vocabularyName(stringOf(field(node, 'class')) ?? '', context.namespaces);
  const shape = processShapes[className];
  if (!shape) return reportClass(node, className, context);
  checkRecord(node, shape, context);
  const base = readBase(node, context);
  const process = finish(node, className as Process['class'], base, {
    ...context,
    inherited: new Set([...context.inherited, ...[...base.requirements, ...base.hints].map((item) => item.class)]),
  });
  warnScripts(process, context);
  if (className !== 'Workflow')
    checkReferences(
      node,
      base.inputs.map(({ id }) => id),
      context,
    );
  outer.load.processes.set(node, process);
  return process;
}

/** JavaScript that nothing asks for: the process itself, the steps and processes around it, or its own steps. */
function warnScripts(process: Process, { inherited, scripts, problems }: BuildContext): void {
  const asking = [process, ...(process.class === 'Workflow' ? process.steps : [])];
  const classes = asking.flatMap(({ requirements, hints }) => [...requirements, ...hints].map((item) => item.class));
  if (inherited.has(javascript) || classes.includes(javascript)) return;
  for (const node of new Set(scripts))
    problems.warn('expression', node, 'an expression is JavaScript, which nothing here asks for', javascriptHint);
}

const javascript = 'InlineJavascriptRequirement';
const javascriptHint = `add "${javascript}: {}" to the requirements`;

function enter(node: MapNode, outer: BuildContext, fallbackScope: string): BuildContext {
  const id = stringOf(field(node, 'id'));
  const own = id === undefined ? undefined : id.includes('#') ? fragmentOf(id) : id;
  const namespaces = { ...outer.namespaces, ...node.source.namespaces };
  return {
    ...outer,
    namespaces,
    version: readVersion(node, outer),
    scope: own ?? fallbackScope,
    types: new TypeScope(outer.types),
    parents: [...outer.parents, node],
    scripts: [],
  };
}

function reportClass(node: MapNode, className: string, { problems }: CheckContext): Process {
  const names = Object.keys(processShapes);
  const classNode = field(node, 'class');
  if (!classNode)
    problems.error('missing-field', node, 'a process needs the field "class"', `expected one of ${names.join(', ')}`);
  else {
    const hint = didYouMean(className, names) ?? `expected one of ${names.join(', ')}`;
    problems.error('unknown-class', classNode, `unknown class of process, got ${describe(classNode)}`, hint);
  }
  return emptyTool(node);
}

function readBase(node: MapNode, context: BuildContext): ProcessBase {
  const { uri } = node.source;
  const requirementsNode = field(node, 'requirements');
  const readTypes = ['requirements', 'hints'].map((name) =>
    defineTypes(requirementField(field(node, name), 'SchemaDefRequirement', 'types'), context),
  );
  for (const read of readTypes) read();
  const id = context.scope === '' ? uri : `${uri}#${context.scope}`;
  const ids = context.parents.length === 1 || isTop(node, context) ? [id, uri] : [id];
  const { ofJob } = context.load;
  const requirements = withOverrides(readRequirements(requirementsNode, false, context), ids, context);
  return {
    id,
    ...documentation(node),
    inputs: readInputs(field(node, 'inputs'), context),
    outputs: readOutputs(field(node, 'outputs'), context),
    requirements: ofJob?.process === node ? replaceByClass(requirements, ofJob.requirements, context) : requirements,
    hints: [...olderDefaults(node, context), ...readRequirements(field(node, 'hints'), true, context)],
    cwlVersion: context.version,
    position: positionOf(node),
  };
}

const isTop = (node: MapNode, context: BuildContext): boolean => context.load.store.get(node.source.uri)?.root === node;

/** What CWL v1.0 gives every process and later versions only on demand. Hints, so that the document's own words win. */
function olderDefaults(node: MapNode, context: BuildContext): readonly Requirement[] {
  if (context.version !== 'v1.0') return [];
  const document = context.load.store.get(node.source.uri);
  const isWhole = document === undefined || processesOf(document.root).includes(node);
  if (!isWhole && context.parents.length > 1) return [];
  const position = positionOf(node);
  return [
    { class: 'LoadListingRequirement', fields: { loadListing: 'deep_listing' }, position },
    { class: 'NetworkAccess', fields: { networkAccess: true }, position },
  ];
}

function finish(node: MapNode, className: Process['class'], base: ProcessBase, context: BuildContext): Process {
  switch (className) {
    case 'CommandLineTool':
      return readTool(node, base, context);
    case 'ExpressionTool':
      return { ...base, class: className, expression: stringOf(field(node, 'expression')) ?? '' };
    case 'Operation':
      return { ...base, class: className };
    case 'Workflow':
      return readWorkflow(node, base, context);
  }
}

function readWorkflow(node: MapNode, base: ProcessBase, context: BuildContext): Workflow {
  const items = readItems(field(node, 'steps'), 'id').filter(({ node: step }) => step.kind === 'map');
  checkUnique(items, 'step', context);
  const workflow: Workflow = {
    ...base,
    class: 'Workflow',
    steps: items.map((item) => readStep(item, context, readRun)),
  };
  checkWorkflow(workflow, context);
  return workflow;
}

function readRun(node: Node, step: string, context: BuildContext): Process {
  const inner = context.scope === '' ? `${step}/run` : `${context.scope}/${step}/run`;
  const target = node.kind === 'map' ? node : findRunTarget(node, context);
  if (!target) return emptyTool(node);
  if (context.parents.includes(target)) {
    context.problems.error('cycle', node, 'a workflow cannot run itself, directly or through its steps');
    return emptyTool(node);
  }
  return readProcess(
    target,
    context,
    node === target && node.source.uri === context.parents.at(-1)?.source.uri ? inner : '',
  );
}

function findRunTarget(node: Node, context: BuildContext): MapNode | undefined {
  const reference = stringOf(node);
  if (reference === undefined) return undefined;
  const uri = resolveUri(node.source.uri, reference);
  const document = context.load.store.get(uri);
  if (!document) return undefined;
  try {
    return selectProcess(document, uri);
  } catch (error) {
    if (!isHallmarkError(error)) throw error;
    context.problems.error('unknown-reference', node, error.message, error.hint);
    return undefined;
  }
}
