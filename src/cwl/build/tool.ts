import { createHash } from 'node:crypto';
import type { CommandLineBinding, CommandLineTool, InputParameter, OutputParameter, ProcessBase } from '../model.ts';
import { field, itemsOf, type MapNode, type Node, stringOf } from '../syntax/node.ts';
import { readCommandLineBinding, stringField } from './binding.ts';
import type { BuildContext } from './context.ts';
import { readItems, strings } from './read.ts';

/** CWL v1.2 CommandLineTool, with `stdin`, `stdout` and `stderr` types rewritten as its section "CommandOutputParameter" says. */
export function readTool(node: MapNode, base: ProcessBase, context: BuildContext): CommandLineTool {
  const stdout = streamName('stdout', node, base.outputs);
  const stderr = streamName('stderr', node, base.outputs);
  const names = { stdout, stderr };
  const stdinInput = findStdin(node, base.inputs, context);
  const stdin =
    stdinInput === undefined ? stringField(node, 'stdin') : { stdin: `$(inputs[${JSON.stringify(stdinInput)}].path)` };
  return {
    ...base,
    class: 'CommandLineTool',
    outputs: rewriteStreams(node, base.outputs, names, context),
    baseCommand: strings(field(node, 'baseCommand')),
    arguments: itemsOf(field(node, 'arguments')).flatMap(readArgument),
    ...stdin,
    ...(stdout !== undefined && { stdout }),
    ...(stderr !== undefined && { stderr }),
    successCodes: readCodes(field(node, 'successCodes'), [0]),
    temporaryFailCodes: readCodes(field(node, 'temporaryFailCodes'), []),
    permanentFailCodes: readCodes(field(node, 'permanentFailCodes'), []),
  };
}

function readArgument(node: Node): (string | CommandLineBinding)[] {
  if (node.kind === 'scalar') return node.value === null ? [] : [String(node.value)];
  const binding = readCommandLineBinding(node);
  return binding ? [binding] : [];
}

function readCodes(node: Node | undefined, otherwise: readonly number[]): readonly number[] {
  if (node === undefined) return otherwise;
  return itemsOf(node).flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'number' ? [item.value] : [],
  );
}

type Stream = 'stdout' | 'stderr';

const streamOutputs = (node: MapNode, stream: Stream): readonly string[] =>
  readItems(field(node, 'outputs'), 'id', 'type').flatMap(({ id, node: output }) =>
    stringOf(field(output, 'type')) === stream ? [id] : [],
  );

/** The tool's own name for the stream, or one made up where an output needs it: the same for the same tool, so that reuse works. */
function streamName(stream: Stream, node: MapNode, outputs: readonly OutputParameter[]): string | undefined {
  const written = stringOf(field(node, stream));
  if (written !== undefined || streamOutputs(node, stream).length === 0) return written;
  const names = outputs.map(({ id }) => id).join('\n');
  return createHash('sha1').update(`${stream}\n${names}`).digest('hex');
}

function rewriteStreams(
  node: MapNode,
  outputs: readonly OutputParameter[],
  names: { readonly [stream in Stream]: string | undefined },
  context: BuildContext,
): readonly OutputParameter[] {
  const streamOf = new Map<string, Stream>();
  for (const stream of ['stdout', 'stderr'] as const)
    for (const id of streamOutputs(node, stream)) streamOf.set(id, stream);
  if (streamOf.size === 0) return outputs;
  return outputs.map((output) => {
    const stream = streamOf.get(output.id);
    const name = stream && names[stream];
    if (name === undefined) return output;
    const span = context.load.spans.get(output);
    if (output.outputBinding && span) {
      context.problems.error('bad-value', span, `an output of type ${stream} cannot have an outputBinding`);
    }
    const rewritten = { ...output, outputBinding: { glob: [name] } };
    if (span) context.load.spans.set(rewritten, span);
    return rewritten;
  });
}

/** The input of type `stdin`, of which there is one at most, and then no `stdin` field. */
function findStdin(node: MapNode, inputs: readonly InputParameter[], context: BuildContext): string | undefined {
  const items = readItems(field(node, 'inputs'), 'id', 'type').filter(
    ({ node: input }) => stringOf(field(input, 'type')) === 'stdin',
  );
  const [first, second] = items;
  if (!first) return undefined;
  const stdin = field(node, 'stdin');
  if (stdin)
    context.problems.error(
      'bad-value',
      stdin,
      `stdin is set here and by the input ${JSON.stringify(first.id)} of type stdin`,
    );
  if (second) context.problems.error('duplicate-id', second.idSpan, 'only one input can have the type stdin');
  if (field(first.node, 'inputBinding')) {
    context.problems.error('bad-value', first.idSpan, 'an input of type stdin cannot have an inputBinding');
  }
  return inputs.some(({ id }) => id === first.id) ? first.id : undefined;
}
