import type { Progress } from './progress.ts';
import { createProgressState, formatDuration, keyOf, type ProgressRow } from './progress-state.ts';

const drawEveryMs = 100;

/**
 * A live list on the terminal: images and steps with counts, the current instruction and the time. Rows come while it is
 * shown, which a running `Listr` cannot have: this takes its tasks and its renderer, and says itself what became of each.
 * Events only take note; what they come to is drawn ten times a second.
 */
export async function createLiveProgress(stream: NodeJS.WriteStream, nowMs: () => number): Promise<Progress> {
  const { DefaultRenderer, Listr, ListrLogger, ListrTaskState, ProcessOutput } = await import('listr2');
  const logger = new ListrLogger({ processOutput: new ProcessOutput(stream, stream) });
  const list = new Listr<unknown, 'default', 'default'>([], { exitOnError: false, registerSignalListeners: false });
  const renderer = new DefaultRenderer(list.tasks, { logger, formatOutput: 'truncate' }, list.events);
  const rows = new Map<string, { latest: ProgressRow; readonly show: (row: ProgressRow) => void }>();
  let drawing: Promise<void> | undefined;

  function addRow(): (row: ProgressRow) => void {
    list.add({ title: '', task: () => {} });
    const task = list.tasks.at(-1);
    task?.check({});
    return (row) => {
      if (!task) return;
      task.title = titleOf(row, nowMs());
      const state = row.isFinal ? endStates[row.state] : 'STARTED';
      if (task.state !== state) task.state$ = ListrTaskState[state];
    };
  }

  const state = createProgressState(nowMs, (row) => {
    drawing ??= renderer.render();
    const known = rows.get(keyOf(row));
    if (known) known.latest = row;
    else rows.set(keyOf(row), { latest: row, show: addRow() });
  });
  const draw = (): void => {
    for (const { latest, show } of rows.values()) show(latest);
  };
  const clock = setInterval(draw, drawEveryMs);
  clock.unref();
  let isOver = false;

  return {
    event(event) {
      if (event.type === 'warning') stream.write(`warning: ${event.message}\n`);
      state.apply(event);
    },
    async end() {
      if (isOver) return;
      isOver = true;
      clearInterval(clock);
      for (const row of rows.values()) row.latest = { ...row.latest, isFinal: true };
      draw();
      await drawing;
      if (drawing) renderer.end();
    },
  };
}

/** A row that is still active when the run is over was cut short. */
const endStates = { done: 'COMPLETED', failed: 'FAILED', active: 'SKIPPED' } as const;

function titleOf(row: ProgressRow, nowMs: number): string {
  const detail = row.detail === '' ? '' : `  ${row.detail}`;
  return `${row.kind === 'image' ? 'image ' : ''}${row.name}${detail}  ${formatDuration((row.endedMs ?? nowMs) - row.startedMs)}`;
}
