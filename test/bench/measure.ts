import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One whole process and all that it waited for. CPU (user and system) and peak memory need GNU time. */
export interface Measure {
  readonly seconds: number;
  readonly cpuSeconds: number | undefined;
  readonly peakMib: number | undefined;
}

const timeTool = existsSync('/usr/bin/time') ? '/usr/bin/time' : undefined;
const timeoutMs = 3_600_000;

/** Fails where the command ends with a status that is not expected. */
export function measureOnce(command: readonly string[], dir: string, home: string, statuses = [0]): Measure {
  const report = join(dir, 'time.txt');
  const [program = '', ...rest] = timeTool ? [timeTool, '-f', '%U %S %M', '-o', report, ...command] : command;
  const start = process.hrtime.bigint();
  const result = spawnSync(program, rest, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: timeoutMs,
    env: { ...process.env, HALLMARK_HOME: home },
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (result.status === null || !statuses.includes(result.status))
    throw new Error(`${command.join(' ')}\n${String(result.stderr ?? result.error).slice(-2000)}`);
  if (!timeTool) return { seconds, cpuSeconds: undefined, peakMib: undefined };
  // The last line: before it stands a status that is not 0.
  const line = readFileSync(report, 'utf8').trim().split('\n').at(-1) ?? '';
  const [user = 0, system = 0, kib = 0] = line.split(/\s+/).map(Number);
  return { seconds, cpuSeconds: user + system, peakMib: kib / 1024 };
}

/** The path of a program, where there is one of this name. */
export function find(command: string): string | undefined {
  const found = spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

/** Median times, and the highest peak. */
export function summarize(measures: readonly Measure[]): Measure {
  const peaks = measures.flatMap(({ peakMib }) => peakMib ?? []);
  const cpu = measures.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
  return {
    seconds: median(measures.map(({ seconds }) => seconds)),
    cpuSeconds: cpu.length > 0 ? median(cpu) : undefined,
    peakMib: peaks.length > 0 ? Math.max(...peaks) : undefined,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
