import { cwlError } from './errors.ts';
import { field, isNull, itemsOf, type Node, positionOf, stringOf } from './syntax/node.ts';
import { resolveUri } from './syntax/uri.ts';

/** Requirements that take the place of those of the process or step with the id `target`. */
export interface Override {
  readonly target: string;
  readonly requirements: Node;
}

const names = ['http://commonwl.org/cwltool#overrides', 'cwltool:overrides'];

/** The overrides of a job file (`cwltool:overrides`) or of a file given with `--overrides`. */
export function readOverrides(root: Node): readonly Override[] {
  const node = names.map((name) => field(root, name)).find((found) => found !== undefined);
  if (node === undefined || isNull(node)) return [];
  if (node.kind === 'map') {
    return [...node.entries].map(([target, { value }]) => readOverride(target, value));
  }
  return itemsOf(node).map((item) => readOverride(stringOf(field(item, 'overrideTarget')) ?? '', item));
}

function readOverride(target: string, node: Node): Override {
  const requirements = field(node, 'requirements');
  if (target !== '' && requirements) return { target: resolveUri(node.source.uri, target), requirements };
  throw cwlError('cwl/bad-input', 'an override needs the id of a process and its "requirements"', {
    where: positionOf(node),
  });
}
