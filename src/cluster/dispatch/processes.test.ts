import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCluster } from '../cluster.ts';

const script = join(import.meta.dirname, '../../../test/fakes/cluster-process.ts');

let folder: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-processes-'));
  path = join(folder, 'records.db');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

interface Runner {
  readonly child: ChildProcess;
  readonly exit: Promise<number | NodeJS.Signals | null>;
  /** Resolves with the first line that begins so. */
  line(prefix: string): Promise<string>;
}

function run(count: number, mode: 'slow' | 'wait'): Runner {
  const child = spawn(process.execPath, [script, path, String(count), mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  return {
    child,
    exit: new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code))),
    line: (prefix) =>
      new Promise((resolve) => {
        const look = () => {
          const found = lines.find((line) => line.startsWith(prefix));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

const notes = () => readFileSync(`${path}.notes`, 'utf8').trim().split('\n');

/** Every record in a state that a next start can go on from. */
function checkRecords() {
  const cluster = openCluster({ path });
  const { db } = cluster.store;
  expect(db.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
  expect(
    db.all(`SELECT uuid FROM containers WHERE state = 'Complete' AND (exit_code IS NULL OR output IS NULL)`),
  ).toEqual([]);
  expect(db.all(`SELECT uuid FROM container_requests WHERE state = 'Final' AND output_uuid IS NULL`)).toEqual([]);
  const broken = `
    SELECT r.uuid FROM container_requests r LEFT JOIN containers c ON c.uuid = r.container_uuid
    WHERE r.state = 'Committed' AND (c.uuid IS NULL OR c.state IN ('Complete', 'Cancelled'))`;
  expect(db.all(broken)).toEqual([]);
  cluster.close();
}

describe('several processes on one store', () => {
  it('run each container once', async () => {
    const runners = [run(40, 'slow'), run(40, 'slow'), run(40, 'slow')];
    expect(await Promise.all(runners.map(({ exit }) => exit))).toEqual([0, 0, 0]);
    const starts = notes().filter((line) => line.startsWith('start'));
    expect(starts).toHaveLength(40);
    expect(new Set(starts.map((line) => line.split(' ').at(-1))).size).toBe(40);
    checkRecords();
  });

  it('never start more than the machine holds', async () => {
    await Promise.all([run(20, 'slow').exit, run(20, 'slow').exit]);
    let atOnce = 0;
    let most = 0;
    for (const line of notes()) {
      atOnce += line.startsWith('start') ? 1 : -1;
      most = Math.max(most, atOnce);
    }
    expect(most).toBeLessThanOrEqual(4);
    expect(most).toBeGreaterThan(1);
  });

  it('take over from one that is killed', async () => {
    const victim = run(1, 'wait');
    const [, uuid] = (await victim.line('running')).split(' ');
    const heir = run(1, 'slow');
    await heir.line('submitted');
    expect(notes()).toHaveLength(1);
    victim.child.kill('SIGKILL');
    expect(await heir.exit).toBe(0);
    const cluster = openCluster({ path });
    expect(await cluster.get('containers', uuid as never)).toMatchObject({
      state: 'Cancelled',
      exit_code: null,
      runtime_status: { error: 'the process that ran it ended without finishing it' },
    });
    const requests = await cluster.list('container_requests', {});
    expect(requests.items.map(({ state, container_count }) => [state, container_count])).toEqual([
      ['Final', 2],
      ['Final', 2],
    ]);
    cluster.close();
  });

  it('leave true records whenever one is killed, and the next start finishes the work', async () => {
    for (const delayMs of [0, 20, 40, 60, 90, 130]) {
      const victim = run(30, 'slow');
      await Promise.race([victim.line('running'), victim.exit]);
      await sleep(delayMs);
      victim.child.kill('SIGKILL');
      await victim.exit;
      checkRecords();
    }
    expect(await run(30, 'slow').exit).toBe(0);
    const ends = notes().filter((line) => line.startsWith('end'));
    expect(new Set(ends.map((line) => line.split(' ').at(-1))).size).toBe(30);
    checkRecords();
  });
});
