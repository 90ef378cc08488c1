/**
 * Prints, side by side in one run, how this runner and cwltool do the same work, and what a step of a scatter costs as the
 * scatter grows. `BENCH_LARGE=1` adds what takes many minutes; `CWLTOOL` names another peer than the one on the PATH.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BenchCase, prepareCases } from './cases.ts';
import { writeDocuments } from './documents.ts';
import { find, type Measure, measureOnce, summarize } from './measure.ts';
import { formatLine, heading } from './table.ts';

const root = resolve(import.meta.dirname, '../..');
const runner = join(root, 'bin/cwl-runner');
const cwltool = process.env.CWLTOOL ?? find('cwltool');
const dir = mkdtempSync(join(tmpdir(), 'hallmark-bench-'));
let homes = 0;

function newHome(): string {
  homes += 1;
  return join(dir, `home-${homes}`);
}

/** In turn, so that what else the machine does falls on both. The first run of ours makes the home and is not counted. */
function runCase(bench: BenchCase): string {
  if (bench.skip !== undefined) return `${bench.name.padEnd(36)} skipped: ${bench.skip}`;
  const home = newHome();
  if (bench.image !== undefined) measureOnce([runner, 'image', 'load', bench.image], dir, home);
  const ours: Measure[] = [];
  const theirs: Measure[] = [];
  if (bench.runs > 1) measureOnce([runner, ...bench.ours], dir, home);
  for (let run = 0; run < bench.runs; run += 1) {
    ours.push(measureOnce([runner, ...bench.ours], dir, home));
    if (cwltool && bench.theirs) theirs.push(measureOnce([cwltool, ...bench.theirs], dir, home));
  }
  return formatLine({
    name: bench.name,
    ours: summarize(ours),
    theirs: theirs.length > 0 ? summarize(theirs) : undefined,
    bound: bench.bound,
    ...(bench.note === undefined ? {} : { note: bench.note }),
  });
}

/** What starting costs is taken off: the curve is about steps. */
function printCurve(): void {
  const sizes = [100, 1000, 10_000, ...(process.env.BENCH_LARGE ? [50_000] : [])];
  const scatter = (size: number) => {
    const inputs = [join(dir, 'scatter.cwl'), join(dir, `n${size}.json`)];
    return measureOnce([runner, '--quiet', '--disable-reuse', '--outdir', join(dir, 'out'), ...inputs], dir, newHome());
  };
  const start = measureOnce([runner, '--quiet', '--outdir', join(dir, 'out'), join(dir, 'echo.cwl')], dir, newHome());
  console.log('\nsteps of a scatter on the host       wall      cpu   ms/step  cpu ms/step      peak');
  for (const size of sizes) {
    const { seconds, cpuSeconds, peakMib } = scatter(size);
    const perStep = (total: number | undefined, base: number | undefined) =>
      total === undefined || base === undefined ? '–' : (((total - base) / size) * 1000).toFixed(2);
    console.log(
      [
        String(size).padStart(22),
        `${seconds.toFixed(1)} s`.padStart(18),
        `${cpuSeconds?.toFixed(1) ?? '–'} s`.padStart(8),
        perStep(seconds, start.seconds).padStart(9),
        perStep(cpuSeconds, start.cpuSeconds).padStart(12),
        `${peakMib?.toFixed(0) ?? '–'} MiB`.padStart(9),
      ].join(' '),
    );
  }
}

function attempt(name: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const text = error instanceof Error ? error.message.split('\n').slice(0, 6).join('\n  ') : String(error);
    console.log(`${name.padEnd(36)} failed: ${text}`);
    process.exitCode = 1;
  }
}

try {
  writeDocuments(dir);
  if (!cwltool) console.log('cwltool is not installed: ours alone');
  console.log(heading('cwltool'));
  for (const bench of prepareCases(dir, root)) attempt(bench.name, () => console.log(runCase(bench)));
  attempt('curve', printCurve);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
