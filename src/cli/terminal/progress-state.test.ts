import { expect, it } from 'vitest';
import type { RunEvent, StepStatus } from '../../run/events.ts';
import { createProgressState, formatDuration, type ProgressRow, withoutIndexes } from './progress-state.ts';

function follow(...events: readonly RunEvent[]): ProgressRow[] {
  const rows = new Map<string, ProgressRow>();
  let now = 0;
  const state = createProgressState(
    () => now,
    (row) => rows.set(`${row.kind} ${row.name}`, row),
  );
  for (const event of events) {
    state.apply(event);
    now += 1000;
  }
  return [...rows.values()];
}

const step = (name: string, status: StepStatus): RunEvent => ({ type: 'step', name, status });

it('counts the jobs of a scatter against its size, whatever has started', () => {
  const [row, ...others] = follow(
    { type: 'scatter', name: 'align', size: 4 },
    step('align[0]', 'started'),
    step('align[1]', 'started'),
    step('align[0]', 'submitted'),
    step('align[0]', 'done'),
    step('align[1]', 'reused'),
    step('align[2]', 'skipped'),
  );
  expect(others).toEqual([]);
  expect(row).toMatchObject({ name: 'align', state: 'active', isFinal: false, detail: '3/4, 1 reused, 1 skipped' });
});

it('ends a step with its last job, with the time from first to last', () => {
  const [row] = follow(step('sort', 'started'), step('sort', 'submitted'), step('sort', 'done'));
  expect(row).toEqual({
    kind: 'step',
    name: 'sort',
    state: 'done',
    isFinal: true,
    detail: '',
    startedMs: 0,
    endedMs: 2000,
  });
});

it('shows a failure at once, and ends the row when the others have', () => {
  const scatter: RunEvent[] = [
    { type: 'scatter', name: 'a', size: 2 },
    step('a[0]', 'started'),
    step('a[1]', 'started'),
    step('a[0]', 'failed'),
  ];
  expect(follow(...scatter)).toMatchObject([{ state: 'failed', isFinal: false, detail: '1/2, 1 failed' }]);
  expect(follow(...scatter, step('a[1]', 'done'))).toMatchObject([{ state: 'failed', isFinal: true }]);
});

it('keeps the row of a step open that a scattered workflow or a loop may start again', () => {
  const rows = follow(
    { type: 'scatter', name: 'each', size: 2 },
    step('each[0]/sort', 'started'),
    step('each[0]/sort', 'done'),
    step('fit#1', 'started'),
    step('fit#1', 'done'),
  );
  expect(rows.map(({ name, state, isFinal }) => [name, state, isFinal])).toEqual([
    ['each/sort', 'done', false],
    ['fit', 'done', false],
  ]);
});

it('shows what a build is doing on one line', () => {
  const image = { type: 'image', reference: 'tools' } as const;
  const events: RunEvent[] = [
    { ...image, status: 'building' },
    { ...image, status: 'building', detail: '[2/5] RUN apt-get update \\\n  && true' },
  ];
  expect(follow(...events)).toMatchObject([
    { kind: 'image', detail: 'building: [2/5] RUN apt-get update \\ && true', isFinal: false },
  ]);
  expect(follow(...events, { ...image, status: 'ready' })).toMatchObject([{ detail: 'ready', isFinal: true }]);
});

it.each([
  ['align[2]/sort[0]', 'align/sort'],
  ['fit#3', 'fit'],
  ['main', 'main'],
])('the row of %s is %s', (name, row) => expect(withoutIndexes(name)).toBe(row));

it.each([
  [4249, '4.2 s'],
  [59_960, '1 min 00 s'],
  [185_000, '3 min 05 s'],
])('%i ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
