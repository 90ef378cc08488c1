/** Prints, side by side in one run, how this runner and cwltool do the same work: ratios of median wall times, and peak memory. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BenchCase, prepareCases } from './cases.ts';

interface Measure {
  readonly seconds: number;
  readonly peakMib: number | undefined;
}

const root = resolve(import.meta.dirname, '../..');
const runner = join(root, 'bin/cwl-runner');
const cwltool = process.env.CWLTOOL ?? find('cwltool');
const timeTool = existsSync('/usr/bin/time') ? '/usr/bin/time' : undefined;
const hasDocker = spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0;

function find(command: string): string | undefined {
  const found = spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

function measureOnce(command: readonly string[], dir: string): Measure {
  const report = join(dir, 'time.txt');
  const [program = '', ...rest] = timeTool ? [timeTool, '-f', '%M', '-o', report, ...command] : command;
  const start = process.hrtime.bigint();
  const result = spawnSync(program, rest, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 600_000,
    env: { ...process.env, HALLMARK_HOME: process.env.HALLMARK_HOME ?? join(dir, 'home') },
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (result.status !== 0) throw new Error(`${command.join(' ')}\n${result.stderr.toString().slice(-2000)}`);
  const peak = timeTool ? Number(readFileSync(report, 'utf8').trim().split('\n').pop()) / 1024 : undefined;
  return { seconds, peakMib: peak };
}

function measure(command: readonly string[], runs: number, dir: string): Measure {
  const results = Array.from({ length: runs }, () => measureOnce(command, dir)).sort((a, b) => a.seconds - b.seconds);
  const peaks = results.flatMap(({ peakMib }) => peakMib ?? []);
  return {
    seconds: results[Math.floor(results.length / 2)]?.seconds ?? Number.NaN,
    peakMib: peaks.length > 0 ? Math.max(...peaks) : undefined,
  };
}

function runCase(bench: BenchCase, dir: string): string {
  const ours = measure(bench.ours, bench.runs, dir);
  const noPeer =
    cwltool === undefined
      ? 'cwltool is not installed'
      : bench.needs === 'docker' && !hasDocker
        ? 'no docker engine for cwltool'
        : undefined;
  const cells = [bench.name.padEnd(36), `${ours.seconds.toFixed(3)} s`.padStart(10), mib(ours)];
  if (noPeer) return [...cells, `  (${noPeer})`].join(' ');
  const theirs = measure(bench.theirs, bench.runs, dir);
  const ratio = ours.seconds / theirs.seconds;
  const verdict = ratio <= bench.atMost ? 'ok' : 'OVER';
  return [
    ...cells,
    `${theirs.seconds.toFixed(3)} s`.padStart(10),
    mib(theirs),
    ratio.toFixed(3).padStart(7),
    `≤ ${bench.atMost}`.padStart(7),
    verdict,
  ].join(' ');
}

const mib = ({ peakMib }: Measure): string => (peakMib === undefined ? '–' : `${Math.round(peakMib)} MiB`).padStart(9);

const dir = mkdtempSync(join(tmpdir(), 'hallmark-bench-'));
try {
  console.log(
    `${'case'.padEnd(36)} ${'ours'.padStart(10)} ${'peak'.padStart(9)} ${'cwltool'.padStart(10)} ${'peak'.padStart(9)} ${'ratio'.padStart(7)} ${'bound'.padStart(7)}`,
  );
  for (const bench of prepareCases(dir, runner, cwltool ?? 'cwltool')) {
    try {
      console.log(runCase(bench, dir));
    } catch (error) {
      console.log(
        `${bench.name.padEnd(36)} failed: ${error instanceof Error ? error.message.split('\n').slice(0, 6).join('\n  ') : String(error)}`,
      );
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
