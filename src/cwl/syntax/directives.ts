import { isHallmarkError } from '../../core/errors.ts';
import { cwlError } from '../errors.ts';
import { describe, type MapNode, type Node, positionOf, type Source } from './node.ts';
import { resolveUri } from './uri.ts';

export interface DirectiveReader {
  include(uri: string, from: Source): Promise<Source>;
  /** Root of the document, or what its fragment names; directives inside are in place. */
  import(uri: string, from: Source): Promise<Node>;
}

interface Pending {
  readonly node: MapNode;
  readonly replace: (node: Node) => void;
}

/** Puts what `$import`, `$include` and `$mixin` name in their place (Schema Salad 1.2, "Document preprocessing"). */
export async function replaceDirectives(root: Node, reader: DirectiveReader): Promise<Node> {
  let result = root;
  const pending = findDirectives(root, (node) => {
    result = node;
  });
  await Promise.all(pending.map(async ({ node, replace }) => replace(await resolveDirective(node, reader))));
  return result;
}

function findDirectives(root: Node, replaceRoot: (node: Node) => void): readonly Pending[] {
  const pending: Pending[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node, replace: (node: Node) => void): void => {
    if (node.kind === 'scalar') return;
    if (node.kind === 'map' && isDirective(node)) pending.push({ node, replace });
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'list') {
      node.items.forEach((item, index) => {
        visit(item, (next) => {
          node.items[index] = next;
        });
      });
    } else {
      for (const entry of node.entries.values()) {
        visit(entry.value, (next) => {
          entry.value = next;
        });
      }
    }
  };
  visit(root, replaceRoot);
  return pending;
}

const isDirective = (node: MapNode): boolean =>
  node.entries.has('$import') || node.entries.has('$include') || node.entries.has('$mixin');

async function resolveDirective(node: MapNode, reader: DirectiveReader): Promise<Node> {
  const name = ['$import', '$include', '$mixin'].find((key) => node.entries.has(key)) ?? '$import';
  const entry = node.entries.get(name);
  const reference = entry?.value;
  if (reference?.kind !== 'scalar' || typeof reference.value !== 'string') {
    const got = reference ? `, got ${describe(reference)}` : '';
    throw cwlError('cwl/invalid-document', `${name}: expected a URI reference${got}`, { where: positionOf(node) });
  }
  if (name !== '$mixin' && node.entries.size > 1) {
    const hint = 'use $mixin to change fields of what is imported';
    throw cwlError('cwl/invalid-document', `${name} must be the only field of its mapping`, {
      where: positionOf(node),
      hint,
    });
  }
  const target = resolveUri(reference.source.uri, reference.value);
  try {
    if (name === '$include') return includeText(await reader.include(target, reference.source));
    const imported = await reader.import(target, reference.source);
    return name === '$mixin' ? mix(node, imported) : imported;
  } catch (error) {
    if (!isHallmarkError(error) || error.where?.line !== undefined) throw error;
    throw cwlError(error.code as Parameters<typeof cwlError>[0], `${name}: ${error.message}`, {
      where: positionOf(reference),
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}

const includeText = (source: Source): Node => ({
  kind: 'scalar',
  source,
  start: 0,
  end: source.text.length,
  value: source.text,
});

/** The imported mapping with the fields beside `$mixin` instead of its own. */
function mix(node: MapNode, imported: Node): Node {
  if (imported.kind !== 'map') {
    throw cwlError('cwl/invalid-document', `$mixin: expected a mapping, got ${describe(imported)}`, {
      where: positionOf(node),
    });
  }
  const entries = new Map([...imported.entries].map(([key, entry]) => [key, { ...entry }]));
  for (const [key, entry] of node.entries) if (key !== '$mixin') entries.set(key, entry);
  return { ...imported, entries };
}
