import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlannedLimits } from '../limits/create.ts';
import { createLauncher, type Launched } from '../process/launcher.ts';
import { withRoutines } from '../process/launcher-perl.ts';
import type { LaunchOptions } from '../process/launcher-program.ts';
import { openBackPipe } from '../process/pipes.ts';
import { seatProgram } from './init-perl.ts';
import { createSeats } from './seats.ts';

const routines = seatProgram(process.arch);

let folder: string;
let removed: string[];
let launched: Promise<Launched>[];
let planned: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seats-'));
  removed = [];
  launched = [];
  planned = 0;
});
afterEach(async () => {
  for (const one of await Promise.allSettled(launched)) if (one.status === 'fulfilled') kill(one.value.pid);
  rmSync(folder, { recursive: true, force: true });
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Folders in place of control groups. */
function planLimits(): PlannedLimits {
  planned += 1;
  const path = join(folder, `group-${planned}`);
  return {
    folders: [path],
    remove: async () => void removed.push(basename(path)),
    hold: () => {
      throw new Error('nothing is held here');
    },
  };
}

function open() {
  const launcher = createLauncher(withRoutines(routines ?? ''));
  const launch = (options: LaunchOptions) => {
    const one = launcher.launch(options);
    launched.push(one);
    return one;
  };
  return createSeats({ launch }, { plan: planLimits });
}

async function untilLaunched(count: number): Promise<void> {
  while (launched.length < count) await setTimeout(5);
}

describe.skipIf(routines === undefined)('seats', () => {
  it('join the groups that they make, before anybody needs them', async () => {
    const seats = open();
    const seat = await seats.take();
    const [group = ''] = seat.limits?.folders ?? [];
    expect(readdirSync(group)).toEqual(['cgroup.procs']);
    await untilLaunched(3);
    expect((await seats.take()).child.pid).not.toBe(seat.child.pid);
  });

  it('are passed over when somebody has killed them, and their groups are removed', async () => {
    const seats = open();
    await seats.take();
    await untilLaunched(3);
    const [, second, third] = await Promise.all(launched);
    for (const one of [second, third]) {
      if (one === undefined) throw new Error('no seat waits');
      kill(one.pid);
      await one.ended;
    }
    const taken = [await seats.take(), await seats.take()];
    for (const { child } of taken) expect([second?.pid, third?.pid]).not.toContain(child.pid);
    expect(removed).toEqual(expect.arrayContaining(['group-2', 'group-3']));
  });

  it('without groups are made when they are asked for', async () => {
    const seats = open();
    const seat = await seats.takeFree();
    expect(seat.limits).toBeUndefined();
    expect(launched.length).toBe(1);
    seat.down.write('user\0\x000\0/nowhere\0/dev/null\0/dev/null\0');
    expect(await seat.channel.readUntil(/nowhere: No such file/)).toBeDefined();
    expect(await seat.child.ended).toBe(125);
  });

  it('end with the launcher, which removes the groups of those that it leaves', async () => {
    const groups = [join(folder, 'a'), join(folder, 'b')];
    // The file that stands for `cgroup.procs` would keep the folder; in a control group it does not.
    const withoutFiles = (routines ?? '').replaceAll('/cgroup.procs', '-procs');
    const launcher = createLauncher(withRoutines(`${withoutFiles} sub quit { kill 'TERM', getppid; sleep 9 }`));
    const where = { cwd: '/', stdin: '/dev/null', stdout: '/dev/null', stderr: '/dev/null' };
    const down = await openBackPipe();
    const control = { up: join(folder, 'up'), down: down.path };
    for (const group of groups) await launcher.launch({ ...where, control, command: [group], routine: 'seat' });
    while (!groups.every(existsSync)) await setTimeout(5);
    const quitting = await launcher.launch({ ...where, command: [], routine: 'quit' });
    await expect(quitting.ended).rejects.toMatchObject({ code: 'executor/engine-lost' });
    expect(groups.filter(existsSync)).toEqual([]);
    down.close();
  });

  it('end when the launcher is killed', async () => {
    const { child } = await open().take();
    kill(Number(readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ')[3]));
    await expect(child.ended).rejects.toMatchObject({ code: 'executor/engine-lost' });
    while (isRunning(child.pid)) await setTimeout(5);
  });
});

/** Not so once it waits for whoever started it. */
function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] !== 'Z';
  } catch {
    return false;
  }
}
