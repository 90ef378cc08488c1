import { executorError } from '../errors.ts';
import type { ContainerExit, ContainerUsage, RunningContainer } from '../port.ts';
import type { ChildEnd, Group } from './child.ts';

/** How long output may still come after every process that we know of has ended. */
const drainGraceMs = 2000;

export interface ContainerParts {
  /** Runs once, after the main process has ended and before `exit` resolves: what is left of the tree dies here. */
  readonly finish?: (end: ChildEnd) => Promise<Partial<ContainerExit>>;
  readonly usage?: () => Promise<ContainerUsage>;
  /** Frees what the container holds. Runs once, after its end. */
  readonly release?: () => Promise<void>;
}

/** A `RunningContainer` around one process whose group is the container's. */
export function toContainer(child: Group, parts: ContainerParts = {}): RunningContainer {
  const exit = waitForEnd(child, parts);
  exit.catch(() => {});
  let closing: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    child.kill();
    await child.ended;
  };
  return {
    exit,
    stop,
    usage: async () => (await parts.usage?.()) ?? {},
    close() {
      closing ??= stop()
        .then(() => exit)
        .then(ignore, ignore)
        .then(() => parts.release?.());
      return closing;
    },
  };
}

const ignore = (): void => {};

async function waitForEnd(child: Group, parts: ContainerParts): Promise<ContainerExit> {
  child.drained.catch(() => child.kill());
  const end = await child.ended;
  child.kill();
  const finished = parts.finish?.(end);
  // Output that could not be passed on may be why the engine lost the container.
  await finished?.catch(() => drainOutput(child));
  const extra = await finished;
  await drainOutput(child);
  return { outOfMemory: false, usage: {}, ...end, ...extra };
}

async function drainOutput(child: Group): Promise<void> {
  child.finishOutput();
  const timer = setTimeout(() => child.abandonOutput(), drainGraceMs);
  try {
    await child.drained;
  } catch (cause) {
    throw executorError('executor/output-lost', 'the output of the container could not be passed on', {
      hint: 'look at the cause; the container was ended',
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
}
