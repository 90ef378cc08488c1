import type { EdgeLabel, GraphLabel, NodeLabel } from '@dagrejs/dagre';
import type { Graph, GraphNode } from './graph.ts';
import { widthOf, wrap } from './text.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly node: GraphNode;
  /** The label, then the notes. */
  readonly lines: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Arrow {
  /** Names of what it joins, for its tooltip: several links may go one way. */
  readonly titles: readonly string[];
  readonly points: readonly Point[];
}

/** Places in pixels; `x` and `y` are the upper left corner. Groups stand before what lies in them. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

export const fontSize = 12;
export const lineHeight = 16;
/** Sheets behind a scattered step or group stand out by this much, twice. */
export const sheet = 4;
/** The name of a step is bold, and so wider. */
const boldness = 1.08;
/** Nodes and edges from which on the layout saves time rather than crossings: 1500 of them took 3.5 s, and so 0.8 s. */
const largeGraph = 300;
const margin = 16;
const widestLine = 16;

/** Ranks from top to bottom, inputs first. Fails only as the layout library fails; every graph of `toGraph` has a layout. */
export async function layOut(graph: Graph): Promise<Layout> {
  const { Graph: LayoutGraph, layout } = await import('@dagrejs/dagre');
  const laid = new LayoutGraph<GraphLabel, NodeLabel, EdgeLabel>({ compound: true });
  const isLarge = graph.nodes.length + graph.edges.length > largeGraph;
  const ranker = isLarge ? 'tight-tree' : 'network-simplex';
  laid.setGraph({ rankdir: 'TB', ranker, nodesep: 28, ranksep: 44, marginx: margin, marginy: margin });
  const labels = new Map(graph.nodes.map((node) => [node.id, [...wrap(node.label, widestLine), ...node.notes]]));
  for (const node of graph.nodes) {
    const lines = labels.get(node.id) ?? [];
    laid.setNode(node.id, node.kind === 'group' ? {} : sizeOf(node, lines));
    if (node.group !== undefined) laid.setParent(node.id, node.group);
  }
  const titles = new Map<string, string[]>();
  for (const { from, to, label } of joinable(graph)) {
    const title = `${from} → ${label === undefined ? to : `${to} (${label})`}`;
    const key = JSON.stringify([from, to]);
    titles.set(key, [...(titles.get(key) ?? []), title]);
    laid.setEdge(from, to, {});
  }
  layout(laid, { disableOptimalOrderHeuristic: isLarge });
  const size = laid.graph();
  return {
    width: size.width ?? 0,
    height: size.height ?? 0,
    boxes: graph.nodes.map((node) => toBox(node, labels.get(node.id) ?? [], laid.node(node.id))),
    arrows: laid.edges().map((edge: { readonly v: string; readonly w: string }) => ({
      titles: titles.get(JSON.stringify([edge.v, edge.w])) ?? [],
      points: laid.edge(edge).points ?? [],
    })),
  };
}

/** A group is no end of an edge: ids of odd documents may coincide. */
function joinable({ nodes, edges }: Graph): Graph['edges'] {
  const ends = new Set(nodes.filter(({ kind }) => kind !== 'group').map(({ id }) => id));
  for (const { id, kind } of nodes) if (kind === 'group') ends.delete(id);
  return edges.filter(({ from, to }) => ends.has(from) && ends.has(to));
}

function sizeOf(node: GraphNode, lines: readonly string[]): { width: number; height: number } {
  const text = Math.max(...lines.map(widthOf)) * fontSize * (node.kind === 'step' ? boldness : 1);
  const padding = node.kind === 'step' ? 24 : 32;
  const stack = node.isScattered ? 2 * sheet : 0;
  return {
    width: Math.ceil(Math.max(text + padding, 48)) + stack,
    height: lines.length * lineHeight + (node.kind === 'step' ? 18 : 12) + stack,
  };
}

function toBox(node: GraphNode, lines: readonly string[], place: NodeLabel): Box {
  const { x = 0, y = 0, width = 0, height = 0 } = place;
  return { node, lines, x: x - width / 2, y: y - height / 2, width, height };
}
