import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LimitSpec } from '../limits/limits.ts';
import { killGroup } from '../process/child.ts';
import { requireNoZeros } from '../process/launcher.ts';
import { type Draining, type Output, openOutput, toDraining } from '../process/output.ts';
import type { InitOptions } from './init.ts';
import { type PlanExtras, planName, toInitPlan } from './init-plan.ts';
import type { Seat, Seats } from './seats.ts';
import { type Init, killedEnd, killProcess, type StartOptions, toStartError } from './start.ts';

export interface SeatStart extends StartOptions {
  readonly namespaces: SeatNamespaces;
  /** Worked out while the namespaces are made. */
  readonly plan: () => InitOptions & PlanExtras;
  readonly limits?: LimitSpec | undefined;
}

export interface SeatNamespaces {
  /** Path of the user namespace to join. */
  readonly user: string;
  /** Path of the network to join, if any. */
  readonly network?: string | undefined;
  /** `CLONE_NEW*` of those to make. */
  readonly unshare: number;
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
  const { child, down, channel } = seat;
  const limits = options.limits && seat.limits?.hold(options.limits);
  const gone = child.ended.then(ignore, ignore);
  try {
    const { user, network, unshare } = options.namespaces;
    const [stdout, stderr] = outputs;
    tell(seat, [user, network ?? '', String(unshare), options.stdin ?? '/dev/null', stdout.path, stderr.path]);
    // A file: it may be longer than a pipe holds, and nobody else shall read the environment.
    const plan = options.plan();
    writeFileSync(join(options.scratch, planName), toInitPlan(plan, plan), { mode: 0o600 });
    if (limits?.confine) limits.confine(await firstOf(seat));
    tell(seat, [options.scratch]);
    if ((await channel.readUntil(/\nstarted\n/)) === undefined) throw toStartError(channel.said());
    return { ...toProcesses(seat, await firstOf(seat)), gone, ...(limits && { limits }) };
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

function tell({ down }: Seat, words: readonly string[]): void {
  requireNoZeros(words);
  down.write(words.map((word) => `${word}\0`).join(''));
}

/** The id of the first process. */
async function firstOf({ channel }: Seat): Promise<number> {
  const found = await channel.readUntil(/\nfirst (\d+)\n/);
  if (found === undefined) throw toStartError(channel.said());
  return Number(found[1]);
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
