/**
 * Prints what a container costs beside its command, for each executor that is here: in a chain of steps, the time from the end of
 * one command to the start of the next, as the commands tell it; and the time per step against the bare `run` of the engine.
 *   node test/bench/containers.ts [sandbox docker podman]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { containerImage } from './documents.ts';
import { measureOnce } from './measure.ts';

const root = resolve(import.meta.dirname, '../..');
const runner = join(root, 'bin/cwl-runner');
const archive = join(root, '.cache/images/debian-stable-slim.tar');
const length = Number(process.env.BENCH_CHAIN ?? 20);
const command = ['sh', '-c', 'date +%s%N; date +%s%N'];

/** Each step reads the file of the one before, so that it starts after its end. */
function writeChain(dir: string): string {
  const tool = {
    class: 'CommandLineTool',
    hints: { DockerRequirement: { dockerPull: containerImage } },
    baseCommand: command,
    inputs: { before: 'File?' },
    stdout: 'times.txt',
    outputs: { times: 'stdout' },
  };
  const names = Array.from({ length }, (_, index) => `s${index}`);
  const steps = names.map((name, index) => {
    const before = index === 0 ? {} : { before: `${names[index - 1]}/times` };
    return [name, { run: tool, in: before, out: ['times'] }];
  });
  const outputs = names.map((name) => [name, { type: 'File', outputSource: `${name}/times` }]);
  const workflow = {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    inputs: {},
    outputs: Object.fromEntries(outputs),
    steps: Object.fromEntries(steps),
  };
  const path = join(dir, 'chain.cwl');
  writeFileSync(path, JSON.stringify(workflow));
  return path;
}

interface Times {
  readonly start: bigint;
  readonly end: bigint;
}

function runChain(executor: string, chain: string, home: string): { seconds: number; times: Times[] } {
  const args = ['--quiet', '--disable-reuse', `--executor=${executor}`, '--outdir', join(home, 'out'), chain];
  const started = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(runner, args, {
    encoding: 'utf8',
    timeout: 600_000,
    env: { ...process.env, HALLMARK_HOME: home },
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) throw new Error(stderr.slice(-2000));
  const outputs = JSON.parse(stdout) as Record<string, { path: string }>;
  const times = Object.values(outputs).map(({ path }) => {
    const [start = '', end = ''] = readFileSync(path, 'utf8').trim().split('\n');
    return { start: BigInt(start), end: BigInt(end) };
  });
  return { seconds, times: times.toSorted((a, b) => (a.start < b.start ? -1 : 1)) };
}

const toMs = (from: bigint, to: bigint): number => Number(to - from) / 1e6;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Milliseconds of one bare `run` of the image that the chain left in the engine; undefined for the sandbox, which has none. */
function measureBare(executor: string): number | undefined {
  if (executor === 'sandbox') return undefined;
  const images = spawnSync(executor, ['images', '--quiet', 'localhost/hallmark'], { encoding: 'utf8' }).stdout;
  const run = [executor, 'run', '--rm', '--network', 'none', images.split('\n')[0] ?? '', ...command];
  const once = () => {
    const started = process.hrtime.bigint();
    const { status, stderr } = spawnSync(run[0] ?? '', run.slice(1), { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${run.join(' ')}\n${stderr}`);
    return toMs(started, process.hrtime.bigint());
  };
  once();
  return median(Array.from({ length: Math.min(length, 10) }, once));
}

/** The step includes all of it; from start to start, so that the start of the runner does not count. */
function report(executor: string, dir: string): void {
  const home = join(dir, executor);
  measureOnce([runner, 'image', 'load', archive], dir, home);
  const chain = writeChain(dir);
  runChain(executor, chain, home);
  const { seconds, times } = runChain(executor, chain, home);
  const between = times.slice(1).map(({ start }, index) => toMs(times[index]?.end ?? start, start));
  const perStep = toMs(times[0]?.start ?? 0n, times.at(-1)?.start ?? 0n) / (length - 1);
  const bare = measureBare(executor);
  const cells = [
    executor.padEnd(10),
    `${seconds.toFixed(2)} s`.padStart(10),
    `${median(between).toFixed(1)} ms`.padStart(14),
    `${Math.max(...between).toFixed(1)} ms`.padStart(10),
    `${perStep.toFixed(1)} ms`.padStart(10),
    (bare === undefined ? '–' : `${bare.toFixed(1)} ms`).padStart(10),
    (bare === undefined ? '–' : (perStep / bare).toFixed(2)).padStart(7),
  ];
  console.log(cells.join(' '));
}

const dir = mkdtempSync(join(tmpdir(), 'hallmark-containers-'));
try {
  const executors = process.argv.length > 2 ? process.argv.slice(2) : ['sandbox'];
  console.log(`\nchain of ${length} steps in containers`);
  if (existsSync(archive)) {
    console.log('executor         all end to start    longest       step   bare run   ratio');
    for (const executor of executors) report(executor, dir);
  } else console.log(`skipped: no ${archive}: scripts/base-image.sh makes it`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
