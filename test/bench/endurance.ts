/**
 * Runs many containers in a row and prints what the runner holds meanwhile: memory and file descriptors have to stay flat.
 * `node test/bench/endurance.ts [containers]`; with BENCH_HOME the records of earlier calls stay.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { containerImage } from './documents.ts';
import { measureOnce } from './measure.ts';

const root = resolve(import.meta.dirname, '../..');
const runner = join(root, 'bin/cwl-runner');
const archive = join(root, '.cache/images/debian-stable-slim.tar');
const count = Number(process.argv[2] ?? 10_000);
const intervalMs = Number(process.env.BENCH_INTERVAL_MS ?? 5000);

function writeDocuments(dir: string): void {
  const tool = {
    class: 'CommandLineTool',
    hints: { DockerRequirement: { dockerPull: containerImage } },
    baseCommand: 'true',
    inputs: { n: 'int' },
    outputs: [],
  };
  const workflow = {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    requirements: { ScatterFeatureRequirement: {} },
    inputs: { ns: 'int[]' },
    outputs: [],
    steps: { each: { run: tool, scatter: 'n', in: { n: 'ns' }, out: [] } },
  };
  writeFileSync(join(dir, 'scatter.cwl'), JSON.stringify(workflow));
  writeFileSync(join(dir, 'inputs.json'), JSON.stringify({ ns: Array.from({ length: count }, (_, n) => n) }));
}

/** proc(5): resident and highest memory, and open descriptors. */
function look(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (key: string) => Math.round(Number(status.match(new RegExp(`^${key}:\\s+(\\d+)`, 'm'))?.[1] ?? 0) / 1024);
  const descriptors = readdirSync(`/proc/${pid}/fd`).length;
  return `${String(mib('VmRSS')).padStart(8)} MiB ${String(mib('VmHWM')).padStart(8)} MiB ${String(descriptors).padStart(6)}`;
}

async function main(dir: string): Promise<void> {
  const home = process.env.BENCH_HOME ?? join(dir, 'home');
  measureOnce([runner, 'image', 'load', archive], dir, home);
  writeDocuments(dir);
  const args = [
    '--quiet',
    '--disable-reuse',
    '--outdir',
    join(dir, 'out'),
    join(dir, 'scatter.cwl'),
    join(dir, 'inputs.json'),
  ];
  const started = performance.now();
  const child = spawn(runner, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, HALLMARK_HOME: home },
  });
  const ended = once(child, 'exit');
  console.log(`${count} containers\n     at      resident         peak    fds`);
  const at = () => `${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s `;
  for (;;) {
    const end = await Promise.race([ended, setTimeout(intervalMs)]);
    if (end !== undefined) {
      const [code, signal] = end;
      console.log(`${at()} exit ${code ?? signal}`);
      process.exitCode = code === 0 ? 0 : 1;
      return;
    }
    console.log(at() + look(child.pid ?? 0));
  }
}

const dir = mkdtempSync(join(tmpdir(), 'hallmark-endurance-'));
try {
  if (!existsSync(archive)) throw new Error(`no ${archive}: scripts/base-image.sh makes it`);
  await main(dir);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
