import { formatBytes } from '../../core/units.ts';
import { parseCommandArgs } from '../command-args.ts';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatTable } from '../terminal/table.ts';
import { cliError } from '../usage-error.ts';
import { withCluster } from '../wire/cluster.ts';
import type { FreedKind, GarbageOptions } from '../wire/garbage.ts';

const usage = 'cwl-runner gc [--unused-for 30d] [--blocks] [--dry-run] [--json]';
const options = {
  'unused-for': { type: 'string', default: '30d' },
  blocks: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const help = `${usage}

Gives back the room of what the home holds and can make again: unpacked images, laid out collections, cache mounts and layers of builds,
SIFs, package lists, and what killed runs left. Results, their images and the records stay.

  --unused-for AGE  only what nobody has used for so long: 12h, 30d, 0s (default 30d); what a run that is under way may use stays
  --blocks          also blocks in Keep that no collection names, as those of collections that were deleted or of runs that were killed
  --dry-run         only say what would go
  --json            the same for programs
`;

/** `cwl-runner gc`: removes from the home, whatever cluster is configured, what is unused and can be made again. */
export async function gcCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, options, usage);
  if (values.help) {
    process.stdout.write(help);
    return exitCodes.success;
  }
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
