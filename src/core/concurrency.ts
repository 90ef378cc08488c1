/** Runs at most `limit` tasks at once, first come first served. */
export function createLimiter(limit: number): <T>(task: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}

/** Maps with at most `limit` at once; results in the order of `items`; the first failure rejects. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const limited = createLimiter(limit);
  return Promise.all(items.map((item, index) => limited(() => map(item, index))));
}

/** Makes callers with the same key share one task under way; nothing is kept once it has settled. */
export function createSingleFlight<T>(): (key: string, task: () => Promise<T>) => Promise<T> {
  const flights = new Map<string, Promise<T>>();
  return (key, task) => {
    const known = flights.get(key);
    if (known) return known;
    const flight = task().finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}

interface Shared<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  callers: number;
}

/**
 * Makes callers with the same key share one task under way. A caller whose signal aborts leaves alone; the signal of the task
 * aborts when all have left, and nobody joins it from then on.
 */
export function createSharedTasks<T>(): (
  key: string,
  task: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
) => Promise<T> {
  const underWay = new Map<string, Shared<T>>();
  const forget = (key: string, shared: Shared<T>): void => {
    if (underWay.get(key) === shared) underWay.delete(key);
  };
  const begin = (key: string, task: (signal: AbortSignal) => Promise<T>): Shared<T> => {
    const stop = new AbortController();
    const shared = { result: task(stop.signal), stop, callers: 0 };
    underWay.set(key, shared);
    const over = (): void => forget(key, shared);
    shared.result.then(over, over);
    return shared;
  };
  return async (key, task, signal) => {
    signal?.throwIfAborted();
    const shared = underWay.get(key) ?? begin(key, task);
    shared.callers += 1;
    return untilAborted(shared.result, signal, () => {
      shared.callers -= 1;
      if (shared.callers > 0) return;
      forget(key, shared);
      shared.stop.abort(signal?.reason);
    });
  };
}

/**
 * Settles as `task` does, or rejects as soon as `signal` aborts; `onAbort` is called then. The task itself goes on: others may share it.
 */
export function untilAborted<T>(task: Promise<T>, signal: AbortSignal | undefined, onAbort?: () => void): Promise<T> {
  if (!signal) return task;
  return new Promise((resolve, reject) => {
    const leave = () => {
      onAbort?.();
      reject(signal.reason);
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    task.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
