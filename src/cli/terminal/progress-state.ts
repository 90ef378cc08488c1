import type { RunEvent, StepStatus } from '../../run/events.ts';

/** One line of progress: an image, or a step with the counts of its scatter. */
export interface ProgressRow {
  readonly kind: 'image' | 'step';
  readonly name: string;
  readonly state: 'active' | 'done' | 'failed';
  /** Nothing more can come: not so for a step inside a scattered workflow or a loop, whose jobs are not known beforehand. */
  readonly isFinal: boolean;
  readonly detail: string;
  readonly startedMs: number;
  readonly endedMs?: number;
}

/** Counts only: an event costs the same, however many jobs a step has. */
interface StepCounts {
  /** Elements of its scatters so far. */
  size: number;
  started: number;
  readonly ended: Record<'done' | 'reused' | 'skipped' | 'failed', number>;
}

type RowContent = Omit<ProgressRow, 'startedMs' | 'endedMs'>;

/** Folds the events of a run into rows. `onRow` is told of each row that changed. */
export function createProgressState(nowMs: () => number, onRow: (row: ProgressRow, event: RunEvent) => void) {
  const starts = new Map<string, number>();
  const steps = new Map<string, StepCounts>();

  function put(event: RunEvent, content: RowContent): void {
    const key = keyOf(content);
    const startedMs = starts.get(key) ?? nowMs();
    starts.set(key, startedMs);
    onRow({ ...content, startedMs, ...(content.state === 'active' ? {} : { endedMs: nowMs() }) }, event);
  }

  function countsOf(name: string): StepCounts {
    const counts = steps.get(name) ?? { size: 0, started: 0, ended: { done: 0, reused: 0, skipped: 0, failed: 0 } };
    steps.set(name, counts);
    return counts;
  }

  return {
    apply(event: RunEvent): void {
      if (event.type === 'image') put(event, toImageRow(event));
      // No row yet: what is scattered may be a workflow, which has no jobs of its own.
      else if (event.type === 'scatter') countsOf(withoutIndexes(event.name)).size += event.size;
      else if (event.type === 'step') {
        const name = withoutIndexes(event.name);
        const counts = countsOf(name);
        count(counts, event.status);
        put(event, toStepRow(name, counts, !insideRepeated.test(event.name)));
      }
    },
  };
}

export const keyOf = ({ kind, name }: Pick<ProgressRow, 'kind' | 'name'>): string => `${kind} ${name}`;

function count(counts: StepCounts, status: StepStatus): void {
  if (status === 'submitted') return;
  if (status === 'started' || status === 'skipped') counts.started += 1;
  if (status !== 'started') counts.ended[status] += 1;
}

const imageTexts = {
  looking: 'looking in Keep',
  found: 'in Keep',
  pulling: 'pulling',
  building: 'building',
  ready: 'ready',
  failed: 'failed',
} as const;

function toImageRow({ reference, status, detail }: Extract<RunEvent, { type: 'image' }>): RowContent {
  const state = status === 'failed' ? 'failed' : status === 'found' || status === 'ready' ? 'done' : 'active';
  const text = detail === undefined ? imageTexts[status] : `${imageTexts[status]}: ${oneLine(detail)}`;
  return { kind: 'image', name: reference, state, isFinal: state !== 'active', detail: text };
}

/** `align[2]/sort[0]` → `align/sort`; rounds of a loop, `fit#3` → `fit`. */
export function withoutIndexes(name: string): string {
  return name.replace(/\[\d+\]|#\d+/g, '');
}

const insideRepeated = /\[\d+\]\/|#\d+/;

function toStepRow(name: string, { size, started, ended }: StepCounts, isWhole: boolean): RowContent {
  const total = Math.max(size, started);
  const finished = ended.done + ended.reused + ended.skipped + ended.failed;
  const isOver = finished >= total;
  const state = ended.failed > 0 ? 'failed' : isOver ? 'done' : 'active';
  const note = (kind: keyof StepCounts['ended']) =>
    ended[kind] === 0 ? [] : [total === 1 ? kind : `${ended[kind]} ${kind}`];
  const detail = [
    ...(total > 1 ? [`${finished}/${total}`] : []),
    ...note('reused'),
    ...note('skipped'),
    ...note('failed'),
  ];
  return { kind: 'step', name, state, isFinal: isWhole && isOver, detail: detail.join(', ') };
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** `4.2 s`, `3 min 05 s`. */
export function formatDuration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}
