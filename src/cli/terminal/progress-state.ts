import type { RunEvent, StepStatus } from '../../run/events.ts';

/** One line of progress: an image, or a step with the counts of its scatter. */
export interface ProgressRow {
  readonly kind: 'image' | 'step';
  readonly name: string;
  readonly state: 'waiting' | 'active' | 'done' | 'failed';
  readonly detail: string;
  readonly startedMs: number;
  readonly endedMs?: number;
}

interface StepCounts {
  readonly jobs: Map<string, StepStatus>;
  size: number;
}

/** Folds the events of a run into rows, in order of first appearance. `onRow` is told of each row that changed. */
export function createProgressState(nowMs: () => number, onRow: (row: ProgressRow, event: RunEvent) => void) {
  const rows = new Map<string, ProgressRow>();
  const steps = new Map<string, StepCounts>();

  function put(event: RunEvent, row: Omit<ProgressRow, 'startedMs' | 'endedMs'>): void {
    const key = `${row.kind} ${row.name}`;
    const startedMs = rows.get(key)?.startedMs ?? nowMs();
    const ended = row.state === 'done' || row.state === 'failed';
    const next: ProgressRow = { ...row, startedMs, ...(ended ? { endedMs: nowMs() } : {}) };
    rows.set(key, next);
    onRow(next, event);
  }

  function apply(event: RunEvent): void {
    switch (event.type) {
      case 'image':
        put(event, {
          kind: 'image',
          name: event.reference,
          state: imageState[event.status],
          detail: event.detail ?? imageText[event.status],
        });
        return;
      case 'scatter': {
        const counts = countsOf(event.name);
        counts.size = Math.max(counts.size, event.size);
        put(event, toStepRow(event.name, counts));
        return;
      }
      case 'step': {
        const name = withoutIndexes(event.name);
        const counts = countsOf(name);
        counts.jobs.set(event.name, event.status);
        put(event, toStepRow(name, counts));
        return;
      }
      case 'warning':
        return;
    }
  }

  function countsOf(name: string): StepCounts {
    const counts = steps.get(name) ?? { jobs: new Map(), size: 0 };
    steps.set(name, counts);
    return counts;
  }

  return { apply, rows: () => [...rows.values()] };
}

const imageState = {
  looking: 'active',
  found: 'done',
  pulling: 'active',
  building: 'active',
  ready: 'done',
  failed: 'failed',
} as const;
const imageText = {
  looking: 'looking in Keep',
  found: 'in Keep',
  pulling: 'pulling',
  building: 'building',
  ready: 'ready',
  failed: 'failed',
} as const;

/** `align[2]/sort[0]` → `align/sort`. */
export function withoutIndexes(name: string): string {
  return name.replace(/\[\d+\]/g, '');
}

function toStepRow(name: string, counts: StepCounts): Omit<ProgressRow, 'startedMs' | 'endedMs'> {
  const total = Math.max(counts.size, counts.jobs.size);
  const tally = { done: 0, reused: 0, skipped: 0, failed: 0, running: 0 };
  for (const status of counts.jobs.values()) {
    if (status === 'done') tally.done += 1;
    else if (status === 'reused') tally.reused += 1;
    else if (status === 'skipped') tally.skipped += 1;
    else if (status === 'failed') tally.failed += 1;
    else if (status === 'running') tally.running += 1;
  }
  const finished = tally.done + tally.reused + tally.skipped + tally.failed;
  const state = tally.failed > 0 ? 'failed' : finished >= total ? 'done' : 'active';
  const notes = [
    tally.running > 0 ? `${tally.running} running` : '',
    tally.reused > 0 ? `${total === 1 ? '' : `${tally.reused} `}reused` : '',
    tally.skipped > 0 ? `${total === 1 ? '' : `${tally.skipped} `}skipped` : '',
    tally.failed > 0 ? `${total === 1 ? '' : `${tally.failed} `}failed` : '',
  ].filter((note) => note !== '');
  const count = total > 1 ? `${finished}/${total}` : '';
  return { kind: 'step', name, state, detail: [count, ...notes].filter((part) => part !== '').join(', ') };
}

/** `4.2 s`, `3 min 05 s`. */
export function formatDuration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}
