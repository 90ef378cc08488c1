import { describe, expect, it } from 'vitest';
import { createSharedTasks } from './concurrency.ts';

/** A task that ends when it is told to, or when its signal aborts. */
function createTask() {
  const signals: AbortSignal[] = [];
  let end: (value: string) => void = () => {};
  const task = (signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return new Promise((resolve, reject) => {
      end = resolve;
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  return { task, signals, end: (value: string) => end(value) };
}

describe('createSharedTasks', () => {
  it('runs a task once for all who ask while it is under way', async () => {
    const shared = createSharedTasks<string>();
    const { task, signals, end } = createTask();
    const results = Promise.all([shared('a', task), shared('a', task)]);
    end('one');
    expect(await results).toEqual(['one', 'one']);
    expect(signals).toHaveLength(1);
    const again = shared('a', task);
    end('two');
    expect(await again).toBe('two');
  });

  it('goes on for the others when one leaves, whoever began it', async () => {
    const shared = createSharedTasks<string>();
    const { task, signals, end } = createTask();
    const abort = new AbortController();
    const [first, second] = [shared('a', task, abort.signal), shared('a', task)];
    abort.abort(new Error('left'));
    await expect(first).rejects.toThrow('left');
    expect(signals[0]?.aborted).toBe(false);
    end('done');
    expect(await second).toBe('done');
  });

  it('ends the task when all have left, and begins anew for the next', async () => {
    const shared = createSharedTasks<string>();
    const { task, signals, end } = createTask();
    const aborts = [new AbortController(), new AbortController()];
    const calls = aborts.map(({ signal }) => shared('a', task, signal));
    for (const abort of aborts) abort.abort(new Error('left'));
    for (const call of calls) await expect(call).rejects.toThrow('left');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    const next = shared('a', task);
    end('done');
    expect(await next).toBe('done');
    expect(signals).toHaveLength(2);
  });

  it('begins nothing for a caller that has left before', async () => {
    const { task, signals } = createTask();
    await expect(createSharedTasks<string>()('a', task, AbortSignal.abort(new Error('left')))).rejects.toThrow('left');
    expect(signals).toEqual([]);
  });
});
