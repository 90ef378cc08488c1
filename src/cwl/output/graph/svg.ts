import type { Process } from '../../model.ts';
import { toGraph } from './graph.ts';
import { type Arrow, type Box, fontSize, layOut, lineHeight, sheet } from './layout.ts';
import { escapeXml } from './text.ts';

/**
 * The workflow as an SVG picture that stands alone: no script, no link, no font or style from elsewhere, and all text of the
 * document escaped. Subworkflows are boxes around their steps; a scattered step is a stack of sheets, a conditional one has a
 * dashed line. Follows the reader's light or dark theme.
 */
export async function toSvg(process: Process): Promise<string> {
  const { width, height, boxes, arrows } = await layOut(toGraph(process));
  const size = `width="${round(width)}" height="${round(height)}" viewBox="0 0 ${round(width)} ${round(height)}"`;
  const title = process.label ?? process.id.split('/').at(-1) ?? process.class;
  const groups = boxes.filter(({ node }) => node.kind === 'group');
  const others = boxes.filter(({ node }) => node.kind !== 'group');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" ${size} font-family="sans-serif" font-size="${fontSize}">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${style}</style>`,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0.5L8 4L0 7.5Z"/></marker></defs>',
    '<rect class="page" width="100%" height="100%"/>',
    ...groups.map(drawGroup),
    ...arrows.map(drawArrow),
    ...groups.map(drawTitle),
    ...others.map(drawNode),
    '</svg>',
    '',
  ].join('\n');
}

const light = themed({ page: '#ffffff', line: '#57606a', text: '#1f2328', faint: '#57606a', group: '#f3f5f8' });
const dark = themed({ page: '#0d1117', line: '#9198a1', text: '#f0f6fc', faint: '#9198a1', group: '#151b23' });
const style =
  `.arrow{fill:none}.step,.port,.group{stroke-width:1.2}.dashed{stroke-dasharray:5 4}` +
  `.name{font-weight:600}text{text-anchor:middle}.left{text-anchor:start;paint-order:stroke;stroke-width:4;stroke-linejoin:round}` +
  `${light}.step{fill:#ffffff}.input{fill:#ddf4ff}.output{fill:#dafbe1}` +
  `@media(prefers-color-scheme:dark){${dark}.step{fill:#212830}.input{fill:#0c2d6b}.output{fill:#033a16}}`;

/** Rules by class and not by variables, which older viewers do not know. */
function themed({ page, line, text, faint, group }: Readonly<Record<string, string>>): string {
  return `.page{fill:${page}}.step,.port,.group,.arrow{stroke:${line}}.head,.note{fill:${faint}}.name,.title{fill:${text}}.group{fill:${group}}.left{stroke:${group}}`;
}

const drawGroup = (box: Box): string =>
  ['<g>', tooltip(box.node.id, box.node.label), ...sheetsOf(box, 'group', 8), '</g>'].join('');

/** Over the arrows, with an edge that keeps them off the letters. */
function drawTitle({ node, lines, x, y, width }: Box): string {
  const label = [lines.slice(0, lines.length - node.notes.length).join(' '), ...node.notes].join(' · ');
  return `<text class="title left" x="${round(x + 10)}" y="${round(y + 15)}">${escapeXml(shorten(label, width))}</text>`;
}

const shorten = (label: string, width: number): string => {
  const most = Math.max(4, Math.floor((width - 20) / (fontSize * 0.58)));
  const letters = [...label];
  return letters.length <= most ? label : `${letters.slice(0, most - 1).join('')}…`;
};

function drawNode(box: Box): string {
  const { node } = box;
  const shape =
    node.kind === 'step'
      ? sheetsOf(box, 'step', 5)
      : [
          `<rect class="port ${node.kind}" x="${round(box.x)}" y="${round(box.y)}" width="${round(box.width)}" height="${round(box.height)}" rx="${round(box.height / 2)}"/>`,
        ];
  return ['<g>', tooltip(node.id, node.label), ...shape, ...drawLines(box), '</g>'].join('');
}

/** One sheet, or three for what is scattered; the front one is the lower left. */
function sheetsOf({ node, x, y, width, height }: Box, name: string, radius: number): string[] {
  const stack = node.isScattered ? 2 : 0;
  const own = node.kind === 'group' ? 0 : stack * sheet;
  const kind = `${name}${node.isConditional ? ' dashed' : ''}`;
  return Array.from({ length: stack + 1 }, (_, index) => {
    const back = (stack - index) * sheet;
    const top = y + own - back;
    return `<rect class="${kind}" x="${round(x + back)}" y="${round(top)}" width="${round(width - own)}" height="${round(height - own)}" rx="${radius}"/>`;
  });
}

function drawLines({ node, lines, x, y, width, height }: Box): string[] {
  const own = node.isScattered ? 2 * sheet : 0;
  const middle = x + (width - own) / 2;
  const top = y + own + (height - own - lines.length * lineHeight) / 2;
  return lines.map((line, index) => {
    const isNote = index >= lines.length - node.notes.length;
    const kind = isNote ? 'note' : node.kind === 'step' ? 'name' : 'title';
    const baseline = top + index * lineHeight + lineHeight * 0.75;
    return `<text class="${kind}" x="${round(middle)}" y="${round(baseline)}">${escapeXml(line)}</text>`;
  });
}

const tooltip = (id: string, label: string): string =>
  `<title>${escapeXml(id.endsWith(label) ? id : `${id}: ${label}`)}</title>`;

/** A curve through the points: straight to the middle of the first stretch, round each corner, straight to the end. */
function drawArrow({ titles, points }: Arrow): string {
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (!first || !last) return '';
  const curves = rest.slice(0, -1).map((corner, index) => {
    const next = rest[index + 1] ?? last;
    const end = index === rest.length - 2 ? next : { x: (corner.x + next.x) / 2, y: (corner.y + next.y) / 2 };
    return `Q${round(corner.x)} ${round(corner.y)} ${round(end.x)} ${round(end.y)}`;
  });
  const path = [
    `M${round(first.x)} ${round(first.y)}`,
    ...(curves.length > 0 ? curves : [`L${round(last.x)} ${round(last.y)}`]),
  ];
  return `<path class="arrow" marker-end="url(#head)" d="${path.join('')}"><title>${escapeXml(titles.join('; '))}</title></path>`;
}

const round = (value: number): string => String(Math.round(value * 10) / 10);
