import { existsSync } from 'node:fs';
import type { ClusterApi } from '../../api/port.ts';
import { renderTree } from '../../provenance/render-tree.ts';
import { trace } from '../../provenance/trace.ts';
import { getRun } from '../../run/run-record.ts';
import { parseCommandArgs } from '../arguments/command-args.ts';
import { usageOf } from '../arguments/command-help.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { withCluster } from '../wire/cluster.ts';

/** `cwl-runner provenance FILE|UUID|PDH|last [--json]`: where a result comes from. */
export async function provenanceCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, { json: { type: 'boolean' } }, 'provenance');
  const [subject, ...more] = positionals;
  if (subject === undefined || more.length > 0) {
    const problem = `provenance: expected one file, uuid or portable data hash, got ${positionals.length}`;
    throw cliError('cli/usage', problem, { hint: usageOf('provenance') });
  }
  const graph = await withCluster(async ({ api, blocks }) => trace({ api, blocks }, await toSubject(api, subject)));
  process.stdout.write(values.json ? `${JSON.stringify(graph, null, 2)}\n` : renderTree(graph));
  return exitCodes.success;
}

/** `last` is the newest run, as for rerun, unless a file has that name. */
async function toSubject(api: ClusterApi, subject: string): Promise<string> {
  return subject === 'last' && !existsSync(subject) ? (await getRun(api, subject)).uuid : subject;
}
