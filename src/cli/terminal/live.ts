import type { Listr, ListrTaskWrapper } from 'listr2';
import type { RunEvent } from '../../run/events.ts';
import type { Progress } from './progress.ts';
import { createProgressState, formatDuration, type ProgressRow } from './progress-state.ts';

interface Row {
  latest: ProgressRow;
  finish: (row: ProgressRow) => void;
  // biome-ignore lint/suspicious/noExplicitAny: listr2's own type takes the renderers as parameters that nothing here depends on
  task?: ListrTaskWrapper<unknown, any, any>;
}

/** A live list on the terminal: images and steps with counts, the current instruction and the time. */
export async function createLiveProgress(stream: NodeJS.WriteStream, nowMs: () => number): Promise<Progress> {
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2');
  const logger = new ListrLogger({ processOutput: new ProcessOutput(stream, stream) });
  const rows = new Map<string, Row>();
  const waiting: ProgressRow[] = [];
  let list: Listr | undefined;
  let running: Promise<unknown> | undefined;

  function add(row: ProgressRow): void {
    const entry: Row = { latest: row, finish: () => {} };
    const finished = new Promise<ProgressRow>((resolve) => {
      entry.finish = resolve;
    });
    rows.set(keyOf(row), entry);
    const item = {
      title: titleOf(row, nowMs()),
      task: async (_context: unknown, task: NonNullable<Row['task']>) => {
        entry.task = task;
        const last = await finished;
        task.title = titleOf(last, nowMs());
        if (last.state === 'failed') throw new Error(task.title);
      },
    };
    if (list) list.add(item);
    else {
      list = new Listr([item], {
        concurrent: true,
        exitOnError: false,
        renderer: 'default',
        rendererOptions: { logger, collapseErrors: false, showErrorMessage: false } as object,
      }) as Listr;
      running = list.run().catch(() => {});
    }
  }

  const state = createProgressState(nowMs, (row, event) => {
    const known = rows.get(keyOf(row));
    if (!known) add(row);
    const entry = rows.get(keyOf(row));
    if (!entry) return;
    entry.latest = row;
    if (entry.task) entry.task.title = titleOf(row, nowMs());
    if (row.endedMs !== undefined && isLast(event)) entry.finish(row);
  });
  const clock = setInterval(() => {
    for (const { latest, task } of rows.values())
      if (task && latest.endedMs === undefined) task.title = titleOf(latest, nowMs());
  }, 500);
  clock.unref();

  return {
    event(event) {
      if (event.type === 'warning') stream.write(`warning: ${event.message}\n`);
      state.apply(event);
    },
    async end() {
      clearInterval(clock);
      for (const entry of rows.values()) entry.finish({ ...entry.latest, endedMs: entry.latest.endedMs ?? nowMs() });
      waiting.length = 0;
      await running;
    },
  };
}

const keyOf = (row: ProgressRow): string => `${row.kind} ${row.name}`;

/** A row that may still grow (a scatter whose jobs are submitted one by one) is finished by the end of the run only. */
const isLast = (event: RunEvent): boolean => event.type === 'image';

function titleOf(row: ProgressRow, nowMs: number): string {
  const detail = row.detail === '' ? '' : `  ${row.detail}`;
  return `${row.kind === 'image' ? 'image ' : ''}${row.name}${detail}  ${formatDuration((row.endedMs ?? nowMs) - row.startedMs)}`;
}
