import type { Process } from '../model.ts';
import { type GraphNode, toGraph } from './graph/graph.ts';

/**
 * The workflow as a graph in the DOT language: inputs, steps and outputs, subworkflows as clusters. A step that is scattered is
 * drawn with a second line around it, a conditional one with a dashed line.
 */
export function toDot(process: Process): string {
  const { nodes, edges } = toGraph(process);
  const children = Map.groupBy(nodes, ({ group }) => group);
  const lines = [
    'digraph workflow {',
    '  rankdir=TB;',
    '  graph [fontname="sans-serif"];',
    '  node [fontname="sans-serif", fontsize=11, shape=box, style="rounded,filled", fillcolor=white];',
    '  edge [fontname="sans-serif", fontsize=9];',
    ...(children.get(undefined) ?? []).flatMap((node) => drawNode(node, children, '  ')),
    ...edges.map(({ from, to, label }) => {
      const named = label === undefined ? '' : ` [label=${quote(label)}]`;
      return `  ${quote(from)} -> ${quote(to)}${named};`;
    }),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

type Children = ReadonlyMap<string | undefined, readonly GraphNode[]>;

function drawNode(node: GraphNode, children: Children, indent: string): readonly string[] {
  switch (node.kind) {
    case 'input':
    case 'output':
      return [`${indent}${quote(node.id)} [label=${quote(node.label)}, shape=ellipse, fillcolor="#e8f0fe"];`];
    case 'step':
      return [`${indent}${quote(node.id)} [label=${quote(labelOf(node))}${styleOf(node)}];`];
    case 'group':
      return [
        `${indent}subgraph ${quote(`cluster_${node.id}`)} {`,
        `${indent}  label=${quote(labelOf(node))}; style="${node.isConditional ? 'rounded,dashed' : 'rounded'}"; fontsize=11;`,
        ...(children.get(node.id) ?? []).flatMap((child) => drawNode(child, children, `${indent}  `)),
        `${indent}}`,
      ];
  }
}

const labelOf = ({ label, notes }: GraphNode): string =>
  [label, ...(notes.length > 0 ? [`(${notes.join('; ')})`] : [])].join('\n');

const styleOf = ({ isScattered, isConditional }: GraphNode): string =>
  `${isScattered ? ', peripheries=2' : ''}${isConditional ? ', style="rounded,filled,dashed"' : ''}`;

const quote = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
