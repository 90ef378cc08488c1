import type { Measure } from './measure.ts';

const widths = { name: 36, time: 10, peak: 9, ratio: 8 };

export function heading(peer: string): string {
  const columns = (who: string) => [
    who.padStart(widths.time),
    'cpu'.padStart(widths.time),
    'peak'.padStart(widths.peak),
  ];
  const ratios = ['ratio', 'of cpu', 'bound'].map((title) => title.padStart(widths.ratio));
  return ['case'.padEnd(widths.name), ...columns('ours'), ...columns(peer), ...ratios].join(' ');
}

/** `bound` is the ratio of wall times, or our own seconds where it ends in `s`. */
export interface Line {
  readonly name: string;
  readonly ours: Measure;
  readonly theirs: Measure | undefined;
  readonly bound: { readonly ratio: number } | { readonly seconds: number };
  readonly note?: string;
}

export function formatLine({ name, ours, theirs, bound, note }: Line): string {
  const ratio = theirs === undefined ? undefined : ours.seconds / theirs.seconds;
  const ofCpu = theirs?.cpuSeconds && ours.cpuSeconds ? ours.cpuSeconds / theirs.cpuSeconds : undefined;
  const value = 'ratio' in bound ? ratio : ours.seconds;
  const limit = 'ratio' in bound ? bound.ratio : bound.seconds;
  const verdict = value === undefined ? '' : value <= limit ? 'ok' : 'OVER';
  return [
    name.padEnd(widths.name),
    ...cells(ours),
    ...cells(theirs),
    ...[ratio, ofCpu].map((one) => (one === undefined ? '–' : one.toFixed(3)).padStart(widths.ratio)),
    `≤ ${limit}${'ratio' in bound ? '' : ' s'}`.padStart(widths.ratio),
    verdict,
    note === undefined ? '' : `(${note})`,
  ]
    .join(' ')
    .trimEnd();
}

function cells(measure: Measure | undefined): string[] {
  const unit = (value: number | undefined, digits: number, name: string) =>
    value === undefined ? '–' : `${value.toFixed(digits)} ${name}`;
  return [
    unit(measure?.seconds, 3, 's').padStart(widths.time),
    unit(measure?.cpuSeconds, 2, 's').padStart(widths.time),
    unit(measure?.peakMib, 0, 'MiB').padStart(widths.peak),
  ];
}
