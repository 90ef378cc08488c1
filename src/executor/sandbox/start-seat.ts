import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LimitSpec } from '../limits/limits.ts';
import { killGroup } from '../process/child.ts';
import { type Draining, type Output, openOutput, toDraining } from '../process/output.ts';
import type { InitOptions } from './init.ts';
import { planName, type SeatSurroundings, toInitPlan } from './init-plan.ts';
import type { Seat, Seats } from './seats.ts';
import { type Init, killedEnd, killProcess, type StartOptions, toStartError } from './start.ts';

export interface SeatStart extends StartOptions {
  readonly init: InitOptions;
  readonly around: Omit<SeatSurroundings, 'stdin' | 'stdout' | 'stderr' | 'waits'>;
  readonly limits?: LimitSpec | undefined;
}

/** Starts a container's first process from a seat, and resolves when the command has started. */
export async function startOnSeat(seats: Seats, options: SeatStart): Promise<Init> {
  const outputs = [await openOutput(options.stdout), await openOutput(options.stderr)] as const;
  try {
    const seat = options.limits ? await seats.take() : await seats.takeFree();
    return { ...(await occupy(seat, outputs, options)), ...toDraining(outputs) };
  } catch (error) {
    for (const output of outputs) output.abandon();
    throw error;
  }
}

type Occupied = Omit<Init, keyof Draining>;

async function occupy(seat: Seat, outputs: readonly [Output, Output], options: SeatStart): Promise<Occupied> {
  const { child, down } = seat;
  const limits = options.limits && seat.limits?.hold(options.limits);
  const gone = child.ended.then(ignore, ignore);
  try {
    const streams = { stdin: options.stdin ?? '/dev/null', stdout: outputs[0].path, stderr: outputs[1].path };
    const waits = limits?.confine !== undefined;
    // A file: it may be longer than a pipe holds, and nobody else shall read the environment.
    const plan = toInitPlan(options.init, { ...options.around, ...streams, waits });
    writeFileSync(join(options.scratch, planName), plan, { mode: 0o600 });
    down.write(`${options.scratch}\0`);
    const firstPid = await waitForStart(seat, limits?.confine);
    return { ...toProcesses(seat, firstPid), gone, ...(limits && { limits }) };
  } catch (error) {
    killGroup(child.pid);
    await gone;
    await (limits ?? seat.limits)?.remove();
    throw error;
  } finally {
    down.close(gone);
  }
}

const ignore = (): void => {};

/** The id of the first process. */
async function waitForStart({ channel, down }: Seat, confine: ((pid: number) => void) | undefined): Promise<number> {
  const first = await channel.readUntil(/\nfirst (\d+)\n/);
  const firstPid = Number(first?.[1]);
  if (first && confine) {
    confine(firstPid);
    down.write('go\0');
  }
  if ((await channel.readUntil(/\nstarted\n/)) === undefined) throw toStartError(channel.said());
  return firstPid;
}

/** Its last words come when the others have gone: it does nothing any more, and the kernel takes its time to take it apart. */
function toProcesses({ channel, child }: Seat, firstPid: number): Pick<Init, 'cpu' | 'ended' | 'kill'> {
  let isOver = false;
  const end = channel.readUntil(/\nend (\d+) (\S+) (\S+)\n/).then(async (found) => {
    if (found === undefined) await child.ended;
    isOver = true;
    return found;
  });
  end.catch(ignore);
  return {
    cpu: end.then(
      (found) => found && { user: Number(found[2]), system: Number(found[3]) },
      () => undefined,
    ),
    ended: end.then((found) => (found ? { exitCode: Number(found[1]) } : killedEnd)),
    kill() {
      if (!isOver) killProcess(firstPid);
    },
  };
}
