import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { JsonValue } from '../../core/json.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { locateOutputs, writeOutputs } from '../../run/outputs.ts';
import type { RunResult } from '../../run/run-process.ts';
import { exitCodes } from '../exit-codes.ts';
import type { RunFlags } from '../options/options.ts';
import type { ClusterHandle } from '../wire/handle.ts';
import { writeLogDir } from './log-dir.ts';
import { formatOutputs } from './output-json.ts';
import { exitCodeOf, formatError, toErrorJson } from './report-error.ts';
import { usageTable } from './usage.ts';

/** What is left of a run that has ended: logs, outputs, what each step used. Gives the exit code. */
export async function reportRun(result: RunResult, flags: RunFlags, cluster: ClusterHandle): Promise<number> {
  if (flags.logDir !== undefined) await writeLogDir(cluster, result.run, resolve(flags.logDir));
  const code = await reportResult(result, flags, cluster);
  if (flags.usage) process.stderr.write(`\n${await usageTable(cluster.api, result.run)}\n`);
  return code;
}

/** Output object on standard output, and every failure on standard error. With `--on-error=continue` both. */
async function reportResult(result: RunResult, flags: RunFlags, cluster: ClusterHandle): Promise<number> {
  for (const text of new Set(result.failures.map((failure) => formatFailure(failure, flags))))
    process.stderr.write(`${text}\n`);
  const isGood = result.failures.length === 0 && result.status === 'success';
  const isPartial = flags.onError === 'continue' && Object.values(result.outputs).some((output) => output !== null);
  if (isGood || isPartial) await deliver(result.outputs, flags, cluster);
  return isGood ? exitCodes.success : exitCodeOf(result.failures[0] ?? new Error('the workflow failed'));
}

async function deliver(results: CwlObject, flags: RunFlags, { api, blocks }: ClusterHandle): Promise<void> {
  const options = { api, blocks, computeChecksum: flags.computeChecksum };
  const outputs = flags.leaveOutputs
    ? await locateOutputs(results, options)
    : await writeOutputs(results, { ...options, outdir: resolve(flags.outdir) });
  await print(formatOutputs(outputs as JsonValue));
  if (flags.writeSummary !== undefined) await writeFile(flags.writeSummary, formatOutputs(outputs as JsonValue));
}

/** As fast as the reader takes it; one that went away has enough. */
async function print(pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) {
    if (process.stdout.errored) return;
    if (!process.stdout.write(piece)) await once(process.stdout, 'drain').catch(() => {});
  }
}

const formatFailure = (failure: unknown, flags: RunFlags): string =>
  flags.json ? JSON.stringify(toErrorJson(failure), null, 2) : formatError(failure, { debug: flags.debug === true });
