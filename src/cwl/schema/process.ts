import {
  before,
  type FieldShape,
  from,
  idMap,
  list,
  oneOf,
  optional,
  type RecordShape,
  record,
  required,
  since,
} from './shape.ts';

const stringOrExpression = ['string', 'expression'] as const;
const strings = ['string', list('string')] as const;
const loadListing = since('v1.1', oneOf('no_listing', 'shallow_listing', 'deep_listing'));
const linkMerge = optional(oneOf('merge_nested', 'merge_flattened'));
const pickValue = since('v1.2', oneOf('first_non_null', 'the_only_non_null', 'all_non_null'));

const documented = { label: optional('string'), doc: optional(strings) };

const secondaryFile = record('SecondaryFileSchema', {
  pattern: required(stringOrExpression),
  required: optional(['boolean', 'expression']),
});
const laterSecondaryFile = from('v1.1', secondaryFile);
const secondaryFiles = optional([
  ...stringOrExpression,
  laterSecondaryFile,
  list([...stringOrExpression, laterSecondaryFile]),
]);

const commandLineBinding = record('CommandLineBinding', {
  loadContents: optional('boolean'),
  position: optional(['int', 'expression']),
  prefix: optional('string'),
  separate: optional('boolean'),
  itemSeparator: optional('string'),
  valueFrom: optional(stringOrExpression),
  shellQuote: optional('boolean'),
});

const commandOutputBinding = record('CommandOutputBinding', {
  loadContents: optional('boolean'),
  loadListing,
  glob: optional([...stringOrExpression, list('string')]),
  outputEval: optional(['expression', before('v1.2', 'string')]),
});

const parameter: Readonly<Record<string, FieldShape>> = {
  id: optional('string'),
  ...documented,
  type: required('type'),
  secondaryFiles,
  streamable: optional('boolean'),
};
const inputParameter = {
  ...parameter,
  format: optional([...stringOrExpression, list('string')]),
  loadContents: since('v1.1', 'boolean'),
  loadListing,
  default: optional('any'),
  inputBinding: optional(commandLineBinding),
};
const outputParameter = { ...parameter, format: optional(stringOrExpression) };

const input = (name: string) => record(name, inputParameter);
const output = record('OutputParameter', outputParameter);
const commandOutput = record('CommandOutputParameter', {
  ...outputParameter,
  outputBinding: optional(commandOutputBinding),
});
const workflowOutput = record('WorkflowOutputParameter', {
  ...outputParameter,
  outputSource: optional(strings),
  linkMerge,
  pickValue,
  // Not in the standard; CWL v1.0 let it stand and cwltool ignores it.
  outputBinding: optional(commandOutputBinding),
});

const process = (inputs: RecordShape, outputs: RecordShape): Readonly<Record<string, FieldShape>> => ({
  id: optional('string'),
  class: required('string'),
  ...documented,
  cwlVersion: optional('string'),
  intent: since('v1.2', list('string')),
  inputs: required(idMap(inputs, 'id', 'type')),
  outputs: required(idMap(outputs, 'id', 'type')),
  requirements: optional('requirements'),
  hints: optional('hints'),
});

const stepInputFields: Readonly<Record<string, FieldShape>> = {
  id: optional('string'),
  label: since('v1.1', 'string'),
  source: optional(strings),
  linkMerge,
  pickValue,
  loadContents: since('v1.1', 'boolean'),
  loadListing,
  default: optional('any'),
  valueFrom: optional(stringOrExpression),
};

const loopInput = record('LoopInput', {
  id: optional('string'),
  loopSource: optional(strings),
  outputSource: optional(strings),
  linkMerge,
  pickValue,
  default: optional('any'),
  valueFrom: optional(stringOrExpression),
});
/** `cwltool:Loop` and the field `loop` of the v1.3 draft. */
export const loopInputs = (predicate: 'loopSource' | 'outputSource') => idMap(loopInput, 'id', predicate);

const stepOutput = record('WorkflowStepOutput', { id: required('string') });

const workflowStep = record('WorkflowStep', {
  id: optional('string'),
  ...documented,
  in: required(idMap(record('WorkflowStepInput', stepInputFields), 'id', 'source')),
  out: required(list(['string', stepOutput])),
  requirements: optional('requirements'),
  hints: optional('hints'),
  run: required(['string', 'process']),
  when: since('v1.2', 'expression'),
  scatter: optional(strings),
  scatterMethod: optional(oneOf('dotproduct', 'nested_crossproduct', 'flat_crossproduct')),
  loop: since('v1.3', loopInputs('outputSource')),
  outputMethod: since('v1.3', oneOf('last_iteration', 'all_iterations')),
});

const argument = ['string', 'expression', commandLineBinding] as const;

/** CWL v1.2.1: the four classes of process. */
export const processShapes: Readonly<Record<string, RecordShape>> = {
  CommandLineTool: record('CommandLineTool', {
    ...process(input('CommandInputParameter'), commandOutput),
    baseCommand: optional(strings),
    arguments: optional([...argument, list(argument)]),
    stdin: optional(stringOrExpression),
    stdout: optional(stringOrExpression),
    stderr: optional(stringOrExpression),
    successCodes: optional(list('int')),
    temporaryFailCodes: optional(list('int')),
    permanentFailCodes: optional(list('int')),
  }),
  ExpressionTool: record('ExpressionTool', {
    ...process(input('WorkflowInputParameter'), output),
    expression: required(stringOrExpression),
  }),
  Workflow: record('Workflow', {
    ...process(input('WorkflowInputParameter'), workflowOutput),
    steps: required(idMap(workflowStep, 'id')),
  }),
  Operation: record('Operation', process(input('OperationInputParameter'), output)),
};

const recordField = record('RecordField', {
  name: optional('string'),
  ...documented,
  type: required('type'),
  secondaryFiles,
  streamable: optional('boolean'),
  format: optional([...stringOrExpression, list('string')]),
  loadContents: since('v1.1', 'boolean'),
  loadListing,
  inputBinding: optional(commandLineBinding),
  outputBinding: optional(commandOutputBinding),
});

const schemaFields = {
  name: optional('string'),
  ...documented,
  inputBinding: optional(commandLineBinding),
  outputBinding: optional(commandOutputBinding),
};
export const arraySchema = record('ArraySchema', {
  type: required('string'),
  items: required('type'),
  ...schemaFields,
});
export const recordSchema = record('RecordSchema', {
  type: required('string'),
  fields: optional(idMap(recordField, 'name', 'type')),
  ...schemaFields,
});
export const enumSchema = record('EnumSchema', {
  type: required('string'),
  symbols: required(list('string')),
  ...schemaFields,
});
