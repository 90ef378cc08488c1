import { didYouMean } from '../../core/nearest.ts';
import type { BuildContext } from '../build/context.ts';
import { parseReference } from '../expression/reference.ts';
import { hasExpression, nextToken } from '../expression/scan.ts';
import { isNull, type Node } from '../syntax/node.ts';

/** Fields whose text is not evaluated, or where `inputs` is something else. */
const apart = new Set(['doc', 'label', 'default', 'steps', 'expressionLib', 'id', 'symbols']);

/**
 * Warns of parameter references such as `$(inputs.x)` that name no input, below `node`. JavaScript is left to its engine: there a
 * missing input is `undefined`, which a document may be asking for.
 */
export function checkReferences(node: Node, inputs: readonly string[], context: BuildContext): void {
  if (node.kind === 'list') for (const item of node.items) checkReferences(item, inputs, context);
  else if (node.kind === 'map') {
    for (const { key, value } of node.entries.values()) if (!apart.has(key)) checkReferences(value, inputs, context);
  } else if (typeof node.value === 'string' && hasExpression(node.value) && !isNull(node)) {
    for (const name of inputsNamedIn(node.value)) {
      if (inputs.includes(name)) continue;
      const hint = didYouMean(name, inputs) ?? `the inputs are ${inputs.slice(0, 12).join(', ') || 'none'}`;
      context.problems.warn(
        'expression',
        node,
        `the expression names an input ${JSON.stringify(name)} that is not there`,
        hint,
      );
    }
  }
}

function inputsNamedIn(text: string): readonly string[] {
  const names: string[] = [];
  try {
    for (let token = nextToken(text, 0); token; token = nextToken(text, token.end)) {
      const reference =
        token.kind === 'expression' ? parseReference(text.slice(token.start + 2, token.end - 1)) : undefined;
      const [name] = reference?.symbol === 'inputs' ? reference.segments : [];
      if (typeof name === 'string') names.push(name);
    }
  } catch {
    // An expression without an end is reported when it is evaluated, by what evaluates it.
  }
  return names;
}
