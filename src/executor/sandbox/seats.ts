import type { LimitMaker, PlannedLimits } from '../limits/create.ts';
import { type Channel, openChannel } from '../process/channel.ts';
import { killGroup } from '../process/child.ts';
import type { Launched, Launcher } from '../process/launcher.ts';
import { type BackPipe, openBackPipe, openPipe } from '../process/pipes.ts';
import { seatRoutine } from './init-perl.ts';
import { toStartError } from './start.ts';

/** A process of the launcher that waits, in control groups of its own, for the container that it will start. */
export interface Seat {
  readonly child: Launched;
  readonly channel: Channel;
  readonly down: BackPipe;
  /** Absent where nothing was to be limited. */
  readonly limits?: PlannedLimits;
}

/**
 * Seats, of which some wait ahead: to move a process into a control group takes the kernel one or two of its grace periods, several
 * milliseconds in which nobody has to do anything, and which a container does not have to wait for.
 */
export interface Seats {
  /** One in control groups. */
  take(): Promise<Seat>;
  /** One without. */
  takeFree(): Promise<Seat>;
}

/** So many start at one time, at most, on most machines. */
const mostWaiting = 2;

export function createSeats(launcher: Launcher, limits: Pick<LimitMaker, 'plan'>): Seats {
  const waiting: Promise<WaitingSeat>[] = [];
  const refill = (): void => {
    while (waiting.length < mostWaiting) {
      const seat = openSeat(launcher, limits.plan());
      waiting.push(seat);
      seat.catch(() => {
        const index = waiting.indexOf(seat);
        if (index >= 0) waiting.splice(index, 1);
      });
    }
  };
  return {
    async take() {
      refill();
      const ahead = waiting.shift();
      refill();
      const seat = await ahead?.catch(() => undefined);
      if (seat && !seat.isLost()) return seat.occupy();
      await seat?.discard();
      return (await openSeat(launcher, limits.plan())).occupy();
    },
    takeFree: async () => (await openSeat(launcher)).occupy(),
  };
}

interface WaitingSeat extends Seat {
  /** Somebody has killed it. */
  isLost(): boolean;
  occupy(): Seat;
  discard(): Promise<void>;
}

async function openSeat(launcher: Launcher, limits?: PlannedLimits): Promise<WaitingSeat> {
  const [up, down] = [await openPipe(), await openBackPipe()];
  try {
    const child = await launcher.launch({
      command: limits?.folders ?? [],
      routine: seatRoutine,
      waits: true,
      cwd: '/',
      ...{ stdin: '/dev/null', stdout: '/dev/null', stderr: '/dev/null' },
      control: { up: up.path, down: down.path },
    });
    up.reader.unref();
    const channel = openChannel(up.reader);
    if ((await channel.readUntil(/^ready\n/)) === undefined) {
      killGroup(child.pid);
      await child.ended;
      throw toStartError(channel.said());
    }
    let isLost = false;
    const lose = (): void => {
      isLost = true;
    };
    child.ended.then(lose, lose);
    const seat = { child, channel, down, ...(limits && { limits }) };
    return {
      ...seat,
      isLost: () => isLost,
      occupy() {
        child.busy();
        up.reader.ref();
        return seat;
      },
      async discard() {
        down.close();
        await limits?.remove();
      },
    };
  } catch (error) {
    up.reader.destroy();
    down.close();
    await limits?.remove();
    throw error;
  }
}
