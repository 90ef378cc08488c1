import { formatBytes } from '../../core/units.ts';
import { parseCommandArgs } from '../arguments/command-args.ts';
import { usageOf } from '../arguments/command-help.ts';
import { parseDuration } from '../arguments/duration.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatTable } from '../terminal/table.ts';
import { withCluster } from '../wire/cluster.ts';
import type { FreedKind, GarbageOptions } from '../wire/garbage.ts';

const usage = usageOf('gc');
const options = {
  'unused-for': { type: 'string', default: '30d' },
  blocks: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

/** `cwl-runner gc`: removes from the home, whatever cluster is configured, what is unused and can be made again. */
export async function gcCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, options, 'gc');
  if (positionals.length > 0) {
    throw cliError('cli/usage', `gc: expected flags alone, got ${JSON.stringify(positionals.join(' '))}`, {
      hint: usage,
    });
  }
  const unusedForMs = parseDuration('--unused-for', values['unused-for']);
  const what = { unusedForMs, blocks: values.blocks, dryRun: values['dry-run'] };
  const freed = await collect(what);
  process.stdout.write(values.json ? `${JSON.stringify({ dryRun: what.dryRun, freed }, null, 2)}\n` : render(freed));
  if (what.dryRun) process.stderr.write('dry run: nothing was removed\n');
  return exitCodes.success;
}

async function collect(what: GarbageOptions): Promise<FreedKind[]> {
  const { collectGarbage } = await import('../wire/garbage.ts');
  let freed: FreedKind[] = [];
  const task = async (cluster: Parameters<Parameters<typeof withCluster>[0]>[0]) => {
    const { embedded } = cluster;
    if (embedded) freed = await collectGarbage({ ...cluster, embedded }, what);
  };
  await withCluster(task, { embedded: true });
  return freed;
}

function render(freed: readonly FreedKind[]): string {
  const rows = freed.filter(({ count }) => count > 0);
  const sum = (key: 'count' | 'bytes') => rows.reduce((total, row) => total + row[key], 0);
  const all = [...rows, { kind: 'all', count: sum('count'), bytes: sum('bytes') }];
  return `${formatTable(
    ['kind', 'number', 'space'],
    all.map(({ kind, count, bytes }) => [kind, String(count), formatBytes(bytes)]),
  )}\n`;
}
