/**
 * Steps that would grow the memory of a runner that does not stream: `node test/bench/heavy-steps.ts [case]…`. Each in a home of its
 * own; the peak is that of the largest process.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { measureOnce } from './measure.ts';

const runner = join(resolve(import.meta.dirname, '../..'), 'bin/cwl-runner');
const logBytes = 1e9;

/** What the command writes, and what of it the runner is to keep. */
const steps: Readonly<Record<string, { readonly script: string; readonly outputs?: string }>> = {
  'a small step': { script: 'true' },
  'a log of 1 GB in lines': { script: `yes "$(printf %0100d 7)" | head -c ${logBytes}` },
  'a log of 1 GB without a newline': { script: `head -c ${logBytes} /dev/zero | tr "\\0" x` },
  'a log of 1 GB of noise': { script: `head -c ${logBytes} /dev/urandom` },
  'stdout of 1 GB kept by CWL': {
    script: `head -c ${logBytes} /dev/zero`,
    outputs: 'stdout: big\noutputs: {big: stdout}',
  },
  'an output of 100 000 files': files(100_000),
  'an output of 1 000 000 files': files(1_000_000),
};

/** A directory of a thousand files for each thousand. */
function files(count: number) {
  const script = `mkdir d; cd d; for i in $(seq ${count / 1000}); do mkdir $i; (cd $i; seq -f "file %g" 1000 | split -l 1 -a 3 -); done`;
  return { script, outputs: 'outputs: {d: {type: Directory, outputBinding: {glob: d, loadListing: no_listing}}}' };
}

const wanted = process.argv.slice(2);
for (const [name, { script, outputs = 'outputs: []' }] of Object.entries(steps)) {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
  const dir = mkdtempSync(join(tmpdir(), 'hallmark-heavy-'));
  try {
    mkdirSync(join(dir, 'out'));
    const bare = measureBare(script, join(dir, 'out'));
    spawnSync('rm', ['-rf', join(dir, 'out')]);
    writeFileSync(join(dir, 'tool.cwl'), toDocument(script, outputs));
    const args = ['--quiet', '--outdir', join(dir, 'result'), join(dir, 'tool.cwl')];
    const { seconds, cpuSeconds = 0, peakMib = 0 } = measureOnce([runner, ...args], dir, join(dir, 'home'));
    const figures = `${seconds.toFixed(1)} s (bare ${bare.toFixed(1)} s)  cpu ${cpuSeconds.toFixed(1)} s`;
    console.log(`${name.padEnd(34)} ${figures}  peak ${peakMib.toFixed(0)} MiB`);
  } finally {
    spawnSync('rm', ['-rf', dir]);
    rmSync(dir, { recursive: true, force: true });
  }
}

function toDocument(script: string, outputs: string): string {
  const command = JSON.stringify(['sh', '-c', script]);
  return `cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: ${command}\ninputs: []\n${outputs}\n`;
}

/** The command alone, its output thrown away. */
function measureBare(script: string, cwd: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync('sh', ['-c', script], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(String(stderr));
  return (performance.now() - start) / 1000;
}
