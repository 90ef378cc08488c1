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
