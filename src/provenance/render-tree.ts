import { describeNode } from './describe-node.ts';
import type { ProvenanceEdge, ProvenanceGraph, ProvenanceNode, Relation } from './model.ts';

const words: Readonly<Record<Relation, string>> = {
  in: 'in',
  madeBy: 'made by',
  ranAs: 'ran as',
  image: 'in',
  input: 'input',
  base: 'FROM',
  context: 'context:',
  added: 'added',
  partOf: 'part of',
  step: 'step',
  retryOf: 'with more memory than',
};

/** What made it comes first, then what it ran in, then what it read, last where it belongs. */
const order: readonly Relation[] = [
  'in',
  'madeBy',
  'ranAs',
  'image',
  'base',
  'context',
  'added',
  'input',
  'step',
  'retryOf',
  'partOf',
];

/** The graph as a tree for people, a line an item; what was shown above is only named. Ends with a newline. */
export function renderTree(graph: ProvenanceGraph): string {
  const nodes = new Map(graph.nodes.map((node) => [node.id as string, node]));
  const edges = Map.groupBy(graph.edges, ({ from }) => from);
  const shown = new Set<string>();
  const lines: string[] = [];

  const show = (node: ProvenanceNode, lead: string, first: string, rest: string) => {
    const { title, details } = describeNode(node);
    const again = shown.has(node.id);
    shown.add(node.id);
    const below = again ? [] : mergeInputs(edges.get(node.id) ?? []);
    const stem = below.length > 0 ? `${rest}│  ` : `${rest}   `;
    lines.push(`${first}${lead}${again ? toBrief(title) : title}`);
    if (!again) lines.push(...details.map((detail) => `${stem}${detail}`));
    for (const [index, edge] of below.entries()) {
      const target = nodes.get(edge.to);
      const last = index === below.length - 1;
      if (target) show(target, `${leadOf(edge)} `, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`);
    }
  };
  const subject = nodes.get(graph.subject);
  if (subject) show(subject, '', '', '');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** What was shown above: as much of its title as names it. */
const toBrief = (title: string) => `${title.replace(/(, | "| \(|: ).*/s, '')} (see above)`;

function leadOf({ relation, label }: ProvenanceEdge): string {
  if (relation === 'base') return `FROM ${label ?? ''}:`;
  if (relation === 'input') return `input ${label ?? ''}:`;
  if (relation === 'in' && label) return `${JSON.stringify(label)} in`;
  return words[relation];
}

const maxLabels = 3;

/** In order; the many edges to one collection become one, with the first few of their labels. */
function mergeInputs(edges: readonly ProvenanceEdge[]): ProvenanceEdge[] {
  const groups = Map.groupBy(edges, ({ relation, to }) => `${relation} ${to}`);
  const merged = [...groups.values()].map((group) => {
    const [first] = group as [ProvenanceEdge];
    const labels = group.flatMap(({ label }) => (label === undefined ? [] : [label]));
    if (labels.length < 2) return first;
    const more = labels.length > maxLabels ? `, and ${labels.length - maxLabels} more` : '';
    return { ...first, label: labels.slice(0, maxLabels).join(', ') + more };
  });
  return merged.sort((a, b) => order.indexOf(a.relation) - order.indexOf(b.relation));
}
