import type { RunEvent } from '../../run/events.ts';
import type { Progress } from './progress.ts';
import { createProgressState, formatDuration, type ProgressRow } from './progress-state.ts';

/** One line for each change that matters: for logs, pipes and terminals without cursor. */
export function createPlainProgress(write: (line: string) => void, nowMs: () => number): Progress {
  const said = new Map<string, string>();

  function onRow(row: ProgressRow, event: RunEvent): void {
    const quiet = event.type === 'step' && (event.status === 'started' || event.status === 'submitted');
    if (quiet || event.type === 'scatter' || (event.type === 'image' && event.status === 'looking')) return;
    const took = row.endedMs === undefined ? '' : ` (${formatDuration(row.endedMs - row.startedMs)})`;
    const mark = row.state === 'failed' ? 'failed ' : row.state === 'done' ? 'done   ' : '       ';
    const key = `${row.kind} ${row.name}`;
    const line = `${mark}${row.kind} ${row.name}${row.detail === '' ? '' : `: ${row.detail}`}`;
    if (said.get(key) === line) return;
    said.set(key, line);
    write(`${line}${took}`);
  }

  const state = createProgressState(nowMs, onRow);
  return {
    event(event) {
      if (event.type === 'warning') write(`warning: ${event.message}`);
      state.apply(event);
    },
    async end() {},
  };
}
