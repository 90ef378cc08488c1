import { listRuns } from '../../run/run-record.ts';
import { parseCommandArgs } from '../arguments/command-args.ts';
import { usageOf } from '../arguments/command-help.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { withCluster } from '../wire/cluster.ts';

/** `cwl-runner runs [--json]`: the newest runs, a line each. */
export async function runsCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, { json: { type: 'boolean' } }, 'runs');
  if (positionals.length > 0)
    throw cliError('cli/usage', `runs: expected flags alone, got ${positionals.join(' ')}`, { hint: usageOf('runs') });
  const runs = await withCluster(({ api }) => listRuns(api, 100));
  if (values.json) process.stdout.write(`${JSON.stringify(runs, null, 2)}\n`);
  else if (runs.length === 0) process.stderr.write('there is no run yet\n');
  else
    for (const run of runs)
      process.stdout.write(`${run.uuid}  ${run.createdAt.slice(0, 19)}Z  ${run.status.padEnd(11)}  ${run.name}\n`);
  return exitCodes.success;
}
