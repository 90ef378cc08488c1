import { listRuns } from '../../run/run-record.ts';
import { withCluster } from '../wire/cluster.ts';

/** `cwl-runner runs [--json]`: the newest runs, a line each. */
export async function runsCommand(args: readonly string[]): Promise<number> {
  const runs = await withCluster(({ api }) => listRuns(api, 100));
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify(runs, null, 2)}\n`);
  else
    for (const run of runs)
      process.stdout.write(`${run.uuid}  ${run.createdAt.slice(0, 19)}Z  ${run.status.padEnd(11)}  ${run.name}\n`);
  return 0;
}
