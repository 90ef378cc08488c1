import { nearest } from '../../core/nearest.ts';
import { describeValue, findMismatch, mismatchHint } from '../input/mismatch.ts';
import { isArray, itemsOfArray, membersOf, typeText } from '../link/types.ts';
import type { CwlType, InputParameter, OutputParameter, PickValue } from '../model.ts';
import { booleanOf, field, isNull, type Node, positionOf, stringOf } from '../syntax/node.ts';
import type { CwlValue } from '../values.ts';
import { readCommandLineBinding, readLoadListing, readOutputBinding } from './binding.ts';
import type { BuildContext } from './context.ts';
import { readValue } from './local-file.ts';
import {
  checkUnique,
  documentation,
  type Item,
  readFormats,
  readItems,
  readNames,
  readSecondaryFiles,
} from './read.ts';
import { readType } from './type.ts';

export function readInputs(node: Node | undefined, context: BuildContext): readonly InputParameter[] {
  const items = readItems(node, 'id', 'type');
  checkUnique(items, 'input', context);
  return items.map((item) => readInput(item, context));
}

export function readOutputs(node: Node | undefined, context: BuildContext): readonly OutputParameter[] {
  const items = readItems(node, 'id', 'type');
  checkUnique(items, 'output', context);
  return items.map((item) => readOutput(item, context));
}

function readBase({ id, idSpan, node }: Item, type: CwlType, context: BuildContext) {
  if (!mayHoldFiles(type)) warnFileFields(id, node, type, context);
  return {
    id,
    ...documentation(node),
    type,
    secondaryFiles: readSecondaryFiles(field(node, 'secondaryFiles'), context),
    format: readFormats(field(node, 'format'), context),
    streamable: booleanOf(field(node, 'streamable')) ?? false,
    position: positionOf(idSpan),
  };
}

/** CWL v1.2, "InputParameter": only valid for a File or a list of them. */
const fileFields = ['secondaryFiles', 'format', 'loadContents', 'streamable'];

const mayHoldFiles = (type: CwlType): boolean =>
  membersOf(type).some((member) =>
    typeof member === 'string'
      ? member === 'File' || member === 'Any'
      : !isArray(member) || mayHoldFiles(itemsOfArray(member)),
  );

function warnFileFields(id: string, node: Node, type: CwlType, { problems }: BuildContext): void {
  for (const name of fileFields) {
    const value = field(node, name);
    if (!value || isNull(value) || booleanOf(value) === false) continue;
    problems.warn('bad-value', value, `${name} of ${JSON.stringify(id)} is of no use: ${typeText(type)} holds no File`);
  }
}

function readInput(item: Item, context: BuildContext): InputParameter {
  const { node } = item;
  const typeNode = field(node, 'type');
  const isStdin = stringOf(typeNode) === 'stdin';
  const defaultNode = field(node, 'default');
  const loadListing = readLoadListing(field(node, 'loadListing'));
  const inputBinding = readCommandLineBinding(field(node, 'inputBinding'));
  const base = readBase(item, isStdin ? 'File' : readType(typeNode, context), context);
  const parameter: InputParameter = {
    ...base,
    ...(defaultNode && { default: readValue(defaultNode, context) }),
    hasDefault: defaultNode !== undefined,
    ...(inputBinding && { inputBinding }),
    loadContents: booleanOf(field(node, 'loadContents')) ?? false,
    ...(loadListing && { loadListing }),
  };
  context.load.spans.set(parameter, item.idSpan);
  if (defaultNode && !isNull(defaultNode)) warnDefault(parameter, defaultNode, context);
  return parameter;
}

/** It is no error as long as every run brings a value of its own. */
function warnDefault({ id, type, ...parameter }: InputParameter, node: Node, { problems }: BuildContext): void {
  const mismatch = findMismatch(parameter.default as CwlValue, type, id, node);
  if (!mismatch) return;
  const got = describeValue(mismatch.value, mismatch.node);
  const message = `the default of ${mismatch.name} does not fit: expected ${typeText(mismatch.type)}, got ${got}`;
  problems.warn('wrong-type', mismatch.node ?? node, message, mismatchHint(mismatch));
}

function readOutput(item: Item, context: BuildContext): OutputParameter {
  const { node } = item;
  const typeNode = field(node, 'type');
  const stream = stringOf(typeNode);
  const isStream = stream === 'stdout' || stream === 'stderr';
  const source = field(node, 'outputSource');
  const outputBinding = readOutputBinding(field(node, 'outputBinding'));
  const parameter: OutputParameter = {
    ...readBase(item, isStream ? 'File' : readType(typeNode, context), context),
    ...(outputBinding && { outputBinding }),
    outputSource: readSources(source, context),
    outputSourceIsList: isMerged(source, node),
    ...readMerge(node),
  };
  context.load.spans.set(parameter, item.idSpan);
  return parameter;
}

/** Sources as the workflow itself calls them: `input` or `step/output`. */
export function readSources(node: Node | undefined, context: BuildContext): readonly string[] {
  return readNames(node, (text) => localReference(text, context.scope), context);
}

/** `#main/step/out`, `file.cwl#main/step/out` and `step/out` inside `main` are `step/out`. */
function localReference(text: string, scope: string): string {
  const at = text.indexOf('#');
  if (at < 0) return text;
  const fragment = text.slice(at + 1);
  return scope !== '' && fragment.startsWith(`${scope}/`) ? fragment.slice(scope.length + 1) : fragment;
}

/** A list of one source is that source, unless linkMerge asks for a list (CWL v1.2 Workflow, "Merging multiple inbound data links"). */
export const isMerged = (source: Node | undefined, sink: Node): boolean =>
  source?.kind === 'list' && (source.items.length !== 1 || stringOf(field(sink, 'linkMerge')) !== undefined);

const merges = ['merge_nested', 'merge_flattened'] as const;
const picks: readonly [PickValue, ...PickValue[]] = ['first_non_null', 'the_only_non_null', 'all_non_null'];

/** A word that is none counts as the nearest: it is told by the check of the shape, and what follows from it would only be noise. */
export function readMerge(node: Node) {
  const pickValue = stringOf(field(node, 'pickValue'));
  const linkMerge = stringOf(field(node, 'linkMerge'));
  return {
    linkMerge: linkMerge === undefined ? 'merge_nested' : nearestOf(linkMerge, merges),
    ...(pickValue !== undefined && { pickValue: nearestOf(pickValue, picks) }),
  };
}

function nearestOf<Name extends string>(text: string, names: readonly [Name, ...Name[]]): Name {
  const near = nearest(text, names);
  return names.find((name) => name === near) ?? names[0];
}
