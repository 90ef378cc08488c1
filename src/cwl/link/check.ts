import { didYouMean } from '../../core/nearest.ts';
import type { BuildContext } from '../build/context.ts';
import type {
  CwlType,
  InputParameter,
  OutputParameter,
  SecondaryFile,
  Workflow,
  WorkflowStep,
  WorkflowStepInput,
} from '../model.ts';
import type { Span } from '../syntax/node.ts';
import { checkCycles } from './cycle.ts';
import { checkFeatures } from './feature.ts';
import { mergedType } from './merged-type.ts';
import { type Origin, originsOf } from './origins.ts';
import { arrayOf, fitOf, isArray, itemsOfArray, mayBeNull, typeText, withNull, withoutNull } from './types.ts';

interface Sink {
  readonly what: string;
  readonly type: CwlType;
  readonly secondaryFiles: readonly SecondaryFile[];
  readonly link: Pick<WorkflowStepInput, 'linkMerge' | 'pickValue' | 'valueFrom'>;
  readonly sources: readonly string[];
  readonly isList: boolean;
  readonly isScattered: boolean;
  readonly span: Span;
}

/** Everything about the links of a workflow that can be known before it runs (CWL v1.2 Workflow, "Data links"). */
export function checkWorkflow(workflow: Workflow, context: BuildContext): void {
  const origins = originsOf(workflow);
  for (const step of workflow.steps) checkStep(step, origins, context);
  for (const output of workflow.outputs) checkOutput(output, origins, context);
  checkFeatures(workflow, context);
  checkCycles(workflow, context);
  warnUnused(workflow, context);
}

function checkStep(step: WorkflowStep, origins: ReadonlyMap<string, Origin>, context: BuildContext): void {
  const { problems, load } = context;
  const stepSpan = load.spans.get(step);
  if (!stepSpan) return;
  if (step.run.id === '') {
    for (const link of step.in)
      checkSources(toSink(step, link, context.load.spans.get(link) ?? stepSpan), origins, context);
    return;
  }
  const inputs = new Map(step.run.inputs.map((input) => [input.id, input]));
  for (const link of step.in) checkStepInput(step, link, inputs.get(link.id), origins, context);
  checkScatter(step, stepSpan, context);
  const bound = new Set(step.in.map(({ id }) => id));
  for (const input of step.run.inputs) {
    if (bound.has(input.id) || input.hasDefault || mayBeNull(input.type)) continue;
    const hint = didYouMean(
      input.id,
      [...bound].filter((id) => !inputs.has(id)),
    )?.replace('did you mean', 'is it misspelt as');
    problems.error(
      'missing-input',
      stepSpan,
      `step ${quote(step.name)} needs the input ${quote(input.id)} of type ${typeText(input.type)}`,
      hint,
    );
  }
  const outputs = step.run.outputs.map(({ id }) => id);
  for (const out of step.out) {
    if (outputs.includes(out)) continue;
    problems.error(
      'unknown-reference',
      placeOf(step.out, out, load) ?? stepSpan,
      `step ${quote(step.name)} has no output ${quote(out)}`,
      didYouMean(out, outputs) ?? listed(outputs),
    );
  }
}

function checkStepInput(
  step: WorkflowStep,
  link: WorkflowStepInput,
  parameter: InputParameter | undefined,
  origins: ReadonlyMap<string, Origin>,
  context: BuildContext,
): void {
  const span = context.load.spans.get(link);
  if (!span) return;
  const names = step.run.inputs.map(({ id }) => id);
  const isUsed =
    step.scatter.includes(link.id) ||
    step.when !== undefined ||
    step.in.some(({ valueFrom }) => valueFrom !== undefined);
  if (!parameter && !isUsed) {
    const hint = didYouMean(link.id, names) ?? listed(names);
    context.problems.warn('unused', span, `${quote(link.id)} is not an input of step ${quote(step.name)}`, hint);
  }
  const isGiven = link.source.length > 0 || link.default !== undefined || link.valueFrom !== undefined;
  if (parameter && !isGiven && !parameter.hasDefault && !mayBeNull(parameter.type)) {
    const message = `input ${quote(link.id)} of step ${quote(step.name)} needs a source, a default or valueFrom`;
    context.problems.error('missing-input', span, message);
  }
  checkLink(toSink(step, link, span, parameter), origins, context);
}

function toSink(step: WorkflowStep, link: WorkflowStepInput, span: Span, parameter?: InputParameter): Sink {
  const type = parameter ? sinkType(parameter, link) : 'Any';
  const isScattered = step.scatter.includes(link.id);
  return {
    what: `input ${quote(link.id)} of step ${quote(step.name)}`,
    type: isScattered ? arrayOf(type) : type,
    isScattered,
    secondaryFiles: parameter?.secondaryFiles ?? [],
    link,
    sources: link.source,
    isList: link.sourceIsList,
    span,
  };
}

/** Where `name` stands among `names`. */
const placeOf = (names: readonly string[], name: string, load: BuildContext['load']): Span | undefined =>
  load.places.get(names)?.[names.indexOf(name)];

/** A default takes the place of null, whether the step or the process gives it. */
const sinkType = (parameter: InputParameter, link: WorkflowStepInput): CwlType =>
  parameter.hasDefault || (link.default !== undefined && link.default !== null)
    ? withNull(parameter.type)
    : parameter.type;

function checkOutput(output: OutputParameter, origins: ReadonlyMap<string, Origin>, context: BuildContext): void {
  const span = context.load.spans.get(output);
  if (!span) return;
  const { type, secondaryFiles, outputSource, outputSourceIsList } = output;
  const what = `workflow output ${quote(output.id)}`;
  if (outputSource.length === 0 && !mayBeNull(type)) {
    context.problems.warn('missing-input', span, `${what} has no outputSource`);
  }
  checkLink(
    {
      what,
      type,
      secondaryFiles,
      link: output,
      sources: outputSource,
      isList: outputSourceIsList,
      isScattered: false,
      span,
    },
    origins,
    context,
  );
}

/** The origins of the sources, and a problem for each source that has none. */
function checkSources(
  sink: Sink,
  origins: ReadonlyMap<string, Origin>,
  { problems, load }: BuildContext,
): readonly Origin[] {
  return sink.sources.flatMap((name) => {
    const origin = origins.get(name);
    if (!origin) {
      const hint = didYouMean(name, origins.keys()) ?? nearbyOutputs(name, origins);
      const span = placeOf(sink.sources, name, load) ?? sink.span;
      problems.error('unknown-reference', span, `${sink.what} has an unknown source ${quote(name)}`, hint);
    }
    return origin ?? [];
  });
}

function checkLink(sink: Sink, origins: ReadonlyMap<string, Origin>, context: BuildContext): void {
  const found = checkSources(sink, origins, context);
  if (sink.link.valueFrom !== undefined) return;
  const { pickValue } = sink.link;
  if (pickValue !== undefined && !sink.isList && !found.some(({ type }) => isArray(type))) {
    context.problems.warn('conditional', sink.span, `${sink.what} has pickValue, but one source that is no list`);
  }
  for (const origin of found) checkOrigin(origin, sink, context);
}

function checkOrigin(origin: Origin, sink: Sink, context: BuildContext): void {
  const source = mergedType(origin.type, sink);
  const result = fitOf(source, sink.type);
  if (result === 'fits') {
    warnSecondaryFiles(origin, sink, context);
    return;
  }
  const merged = sink.isList ? `${typeText(origin.type)}, merged to ${typeText(source)},` : typeText(source);
  const message = `source ${quote(origin.name)} of type ${merged} ${result === 'never-fits' ? 'does' : 'may'} not fit ${sink.what} of type ${typeText(sink.type)}`;
  const span = placeOf(sink.sources, origin.name, context.load) ?? sink.span;
  if (result === 'never-fits') context.problems.error('link-type', span, message, mergeHint(origin.type, source, sink));
  else if (origin.isConditional && fitOf(withoutNull(source), sink.type) === 'fits') {
    const hint = 'use pickValue or make the type optional';
    context.problems.warn('conditional', span, `${message}: its step is conditional and may give null`, hint);
  } else context.problems.warn('link-type', span, message);
}

/** What to write instead. `given` is the type of the source itself, `source` what has become of it. */
function mergeHint(given: CwlType, source: CwlType, sink: Sink): string | undefined {
  const fits = (type: CwlType): boolean => fitOf(type, sink.type) === 'fits';
  if (sink.isList) {
    const isOne = sink.sources.length === 1;
    if (fits(mergedType(given, { ...sink, link: { linkMerge: 'merge_flattened' } })))
      return 'add "linkMerge: merge_flattened"';
    if (fits(withoutNull(given))) return isOne ? 'write the source without a list' : 'take one of them with pickValue';
    return undefined;
  }
  if (isArray(source) && fits(itemsOfArray(source)))
    return 'scatter over this input to give each element to a run of its own';
  if (!isArray(sink.type) || !fits(arrayOf(source))) return undefined;
  return sink.isScattered
    ? 'a scatter takes a list: make the source one, or do not scatter over this input'
    : 'write the source as a list to make an array of it';
}

function warnSecondaryFiles(origin: Origin, sink: Sink, context: BuildContext): void {
  if (origin.secondaryFiles.length === 0 && sink.secondaryFiles.length === 0) return;
  const given = new Set(origin.secondaryFiles.map(({ pattern }) => pattern));
  const missing = sink.secondaryFiles.filter(({ pattern, required }) => required !== false && !given.has(pattern));
  if (missing.length === 0) return;
  const patterns = missing.map(({ pattern }) => pattern).join(', ');
  const hint = `add them to ${quote(origin.name)} or mark them optional`;
  context.problems.warn(
    'secondary-files',
    sink.span,
    `${sink.what} requires secondaryFiles ${patterns} that ${quote(origin.name)} does not declare`,
    hint,
  );
}

function checkScatter(step: WorkflowStep, span: Span, { problems, load }: BuildContext): void {
  const names = step.in.map(({ id }) => id);
  for (const name of step.scatter) {
    if (names.includes(name)) continue;
    const hint = didYouMean(name, names) ?? listed(names);
    problems.error(
      'scatter',
      placeOf(step.scatter, name, load) ?? span,
      `step ${quote(step.name)} scatters over ${quote(name)}, which is not in its "in"`,
      hint,
    );
  }
  if (step.scatter.length > 1 && step.scatterMethod === undefined) {
    const hint = 'add "scatterMethod: dotproduct", nested_crossproduct or flat_crossproduct';
    problems.error(
      'scatter',
      span,
      `step ${quote(step.name)} scatters over several inputs and needs scatterMethod`,
      hint,
    );
  }
}

function warnUnused(workflow: Workflow, { problems, load }: BuildContext): void {
  const used = new Set(workflow.outputs.flatMap(({ outputSource }) => outputSource));
  for (const step of workflow.steps)
    for (const { source } of [...step.in, ...(step.loop?.in ?? [])]) for (const name of source) used.add(name);
  for (const step of workflow.steps) {
    const span = load.spans.get(step);
    if (!span || step.out.length === 0 || step.out.some((out) => used.has(`${step.name}/${out}`))) continue;
    problems.warn('unused', span, `no output of step ${quote(step.name)} is used`);
  }
}

function nearbyOutputs(name: string, origins: ReadonlyMap<string, Origin>): string | undefined {
  const [step] = name.split('/');
  const siblings = [...origins.keys()].filter((other) => other.startsWith(`${step}/`));
  return siblings.length > 0 ? listed(siblings) : undefined;
}

const listed = (names: readonly string[]): string =>
  names.length === 0
    ? 'it has none'
    : `expected one of ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`;
const quote = (text: string): string => JSON.stringify(text);
