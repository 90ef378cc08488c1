import { describe, expect, it } from 'vitest';
import { createMemoryFetcher } from '../../../../test/fakes/fetcher.ts';
import { loadProcess } from '../../load.ts';
import type { Process } from '../../model.ts';
import { toDot } from '../dot.ts';
import { toGraph } from './graph.ts';
import { type Box, layOut } from './layout.ts';
import { toSvg } from './svg.ts';
import { clean, widthOf, wrap } from './text.ts';

const load = (text: string): Promise<Process> =>
  loadProcess('file:///w.cwl', { fetcher: createMemoryFetcher({ 'file:///w.cwl': text }) });

const operation = '{class: Operation, inputs: {x: Any, y: Any?}, outputs: {o: Any}}';
const nested = await load(`cwlVersion: v1.2
class: Workflow
requirements: {SubworkflowFeatureRequirement: {}, ScatterFeatureRequirement: {}, InlineJavascriptRequirement: {}}
inputs: {reads: 'string[]', genome: string, deep: boolean}
outputs: {all: {type: 'Any[]', outputSource: sample/o}}
steps:
  index: {run: ${operation}, when: $(inputs.y), in: {x: genome, y: deep}, out: [o]}
  sample:
    scatter: read
    when: $(inputs.deep)
    in: {read: reads, ref: index/o, deep: deep}
    out: [o]
    run:
      class: Workflow
      inputs: {read: string, ref: Any}
      outputs: {o: {type: Any, outputSource: inner/o}}
      steps:
        inner:
          in: {x: read, y: ref}
          out: [o]
          run:
            class: Workflow
            inputs: {x: Any, y: Any}
            outputs: {o: {type: Any, outputSource: call/o}}
            steps:
              call: {run: ${operation}, in: {x: x, y: y}, out: [o]}
`);

const isInside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

describe('toGraph', () => {
  it('joins ports and steps through the groups, never a group itself', () => {
    const { nodes, edges } = toGraph(nested);
    const groups = nodes.filter(({ kind }) => kind === 'group').map(({ id }) => id);
    expect(groups).toEqual(['sample', 'sample/inner']);
    expect(edges).toContainEqual({ from: 'index', to: 'sample/in:ref', label: 'ref' });
    expect(edges).toContainEqual({ from: 'sample/inner/out:o', to: 'sample/out:o' });
    const ids = new Set(nodes.map(({ id }) => id));
    for (const { from, to } of edges) {
      expect(ids).toContain(from);
      expect(ids).toContain(to);
      expect(groups).not.toContain(to);
    }
  });

  it('shows an input that only the condition of a subworkflow reads', () => {
    expect(toGraph(nested).edges).toContainEqual({ from: 'in:deep', to: 'sample/in:deep' });
    expect(toDot(nested)).toContain('"in:deep" -> "sample/in:deep";');
  });

  it('draws a subworkflow without content as a step', async () => {
    const process = await load(`cwlVersion: v1.2
class: Workflow
requirements: {SubworkflowFeatureRequirement: {}}
inputs: {a: Any}
outputs: []
steps: {none: {run: {class: Workflow, inputs: [], outputs: [], steps: []}, in: {}, out: []}}
`);
    expect(toGraph(process).nodes.map(({ id, kind }) => [id, kind])).toEqual([
      ['in:a', 'input'],
      ['none', 'step'],
    ]);
    expect(await toSvg(process)).toContain('>none</text>');
  });
});

describe('layOut', () => {
  it('keeps what is in a group inside its box, and boxes apart', async () => {
    const { boxes, width, height } = await layOut(toGraph(nested));
    const byId = new Map(boxes.map((box) => [box.node.id, box]));
    for (const box of boxes) {
      expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height).toBe(true);
      const group = byId.get(box.node.group ?? '');
      if (group) expect(isInside(box, group), `${box.node.id} in ${group.node.id}`).toBe(true);
      const siblings = boxes.filter(({ node }) => node.group === box.node.group && node.id !== box.node.id);
      for (const other of siblings) expect(overlap(box, other), `${box.node.id} and ${other.node.id}`).toBe(false);
    }
  });

  it('places a graph large enough for the faster way, too', async () => {
    const steps = Array.from({ length: 400 }, (_, index) => {
      const x = index < 3 ? 'a' : `s${index - 3}/o`;
      return `  s${index}: {run: ${operation}, in: {x: ${x}}, out: [o]}`;
    });
    const text = `cwlVersion: v1.2\nclass: Workflow\ninputs: {a: Any}\noutputs: []\nsteps:\n${steps.join('\n')}\n`;
    const { boxes, arrows } = await layOut(toGraph(await load(text)));
    expect(boxes).toHaveLength(401);
    expect(arrows).toHaveLength(400);
    expect(arrows.every(({ points }) => points.length >= 2)).toBe(true);
  });
});

describe('toSvg', () => {
  it('stacks what is scattered, dashes what has a condition, and shapes inputs and outputs', async () => {
    const svg = await toSvg(nested);
    const groups = svg.split('\n').filter((line) => line.includes('class="group'));
    expect(groups[0]?.match(/class="group dashed"/g)).toHaveLength(3);
    expect(groups[1]?.match(/class="group"/g)).toHaveLength(1);
    expect(svg).toContain('>sample · scatter read · when</text>');
    expect(svg.match(/class="step dashed"/g)).toHaveLength(1);
    expect(svg.match(/class="port output"/g)).toHaveLength(3);
    expect(svg).toContain('<title>index → sample/in:ref (ref)</title>');
  });

  it('lets no text of a document out of its place', async () => {
    const hostile = '</text><script>alert(1)</script><a href="javascript:alert(2)">\\u0000\\u202E\\ud800&amp;';
    const svg = await toSvg(
      await load(`cwlVersion: v1.2
class: Workflow
label: ${JSON.stringify(hostile).replaceAll('\\\\', '\\')}
inputs: {a: Any}
outputs: []
steps: {s: {label: ${JSON.stringify(hostile).replaceAll('\\\\', '\\')}, run: ${operation}, in: {x: a}, out: [o]}}
`),
    );
    const elements = new Set([...svg.matchAll(/<([a-z]+)/gi)].map(([, name]) => name));
    expect([...elements].sort()).toEqual(['defs', 'g', 'marker', 'path', 'rect', 'style', 'svg', 'text', 'title']);
    for (const [tag] of svg.matchAll(/<[^>]+>/g)) expect(tag).not.toMatch(/\s(on\w+|\S*href|style)=|javascript/i);
    expect(svg).toContain('&lt;script&gt;');
    expect(svg.isWellFormed()).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left.
    expect(svg).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/);
  });
});

describe('text', () => {
  it.each([
    ['short', ['short']],
    ['align_reads_with_bwa', ['align_reads_', 'with_bwa']],
    ['count the reads of each sample', ['count the reads', 'of each sample']],
    ['one two three four five six seven eight', ['one two three', 'four five six', 'seven eight']],
    ['', ['']],
  ])('wraps %j', (text, lines) => expect(wrap(text, 9)).toEqual(lines));

  it('cuts a word without end, and says so', () => {
    const lines = wrap('x'.repeat(500), 9);
    expect(lines).toHaveLength(3);
    expect(lines[2]?.endsWith('…')).toBe(true);
    expect(Math.max(...lines.map(widthOf))).toBeLessThan(11);
  });

  it('keeps to one line of characters that XML has', () => expect(clean(' a\u0001\n\tb\u202ec ')).toBe('a bc'));
});
