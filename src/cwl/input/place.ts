import { field, type Node } from '../syntax/node.ts';

/** A value of an input, or a part of one. */
export interface Place {
  /** As messages call it: `reads[1].index`. */
  readonly name: string;
  /** How far inside the value that was asked about. */
  readonly depth: number;
  /** In the text that it was read from, or else the nearest around it; absent: it was made otherwise. */
  readonly node?: Node | undefined;
}

export const placeOf = (name: string, node?: Node): Place => ({ name, depth: 0, node });

export const itemOf = ({ name, depth, node }: Place, index: number): Place => ({
  name: `${name}[${index}]`,
  depth: depth + 1,
  node: (node?.kind === 'list' ? node.items[index] : undefined) ?? node,
});

export const memberOf = ({ name, depth, node }: Place, key: string): Place => ({
  name: `${name}.${key}`,
  depth: depth + 1,
  node: field(node, key) ?? node,
});
