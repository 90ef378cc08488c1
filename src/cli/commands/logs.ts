import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Container } from '../../api/records.ts';
import { isUuid, type Uuid } from '../../core/ids.ts';
import { liveLogDir } from '../../crunch/logs/container-logs.ts';
import { openFile } from '../../keep/file-reader.ts';
import { readLog } from '../../run/collections.ts';
import { parseCommandArgs } from '../arguments/command-args.ts';
import { usageOf } from '../arguments/command-help.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { withCluster } from '../wire/cluster.ts';
import type { ClusterHandle } from '../wire/handle.ts';
import { type Attempts, describeOthers, findAttempts } from './log-attempts.ts';

const options = { follow: { type: 'boolean', short: 'f', default: false } } as const;
const lineFiles = ['crunch-run.txt', 'stderr.txt', 'stdout.txt'];

/** `cwl-runner logs [-f] UUID [FILE]`: the log of a container or container request; all its lines, or one file of it as it is. */
export async function logsCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, options, 'logs');
  const [name, file, ...more] = positionals;
  if (name === undefined || !isUuid(name) || more.length > 0) {
    const got = positionals.join(' ') || 'none';
    throw cliError('cli/usage', `logs: expected the uuid of a container or container request, got ${got}`, {
      hint: usageOf('logs'),
    });
  }
  await withCluster(async (cluster) => {
    const attempts = await findAttempts(cluster.api, name);
    const uuid = values.follow ? attempts.newest : await chooseAttempt(cluster, attempts);
    process.stderr.write(describeOthers(attempts, uuid));
    await printLog(cluster, uuid, { only: file, follow: values.follow });
  });
  return exitCodes.success;
}

/** The newest, or the one before where that has nothing to show yet. */
async function chooseAttempt(cluster: ClusterHandle, { newest, earlier }: Attempts): Promise<Uuid> {
  const before = earlier.at(-1);
  if (before === undefined) return newest;
  const files = await listLog(cluster, await cluster.api.get('containers', newest));
  return files.length > 0 ? newest : before;
}

interface Printing {
  /** The one file to print, as it is. */
  readonly only: string | undefined;
  readonly follow: boolean;
}

/** Prints what the log has, and with `follow` what it gets, until the container has ended. */
async function printLog(cluster: ClusterHandle, uuid: Uuid, { only, follow }: Printing): Promise<void> {
  const printed = new Map<string, number>();
  // A real cluster gathers the lines of others' containers, which takes it seconds.
  const pollMs = cluster.embedded ? 200 : 2000;
  for (;;) {
    const container = await cluster.api.get('containers', uuid);
    for (const { name, sizeBytes, open } of await listLog(cluster, container)) {
      const start = printed.get(name) ?? 0;
      if (!(only === undefined ? lineFiles.includes(name) : name === only) || sizeBytes <= start) continue;
      if (await print(open(start, sizeBytes))) printed.set(name, sizeBytes);
    }
    if (!follow || hasEnded(container) || process.stdout.errored) return;
    await delay(pollMs);
  }
}

/** False where the live file has just gone: its content is in Keep now. */
async function print(stream: Readable): Promise<boolean> {
  try {
    for await (const chunk of stream) process.stdout.write(chunk as Buffer);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

const hasEnded = ({ state }: Container): boolean => state === 'Complete' || state === 'Cancelled';

interface LogFile {
  readonly name: string;
  readonly sizeBytes: number;
  open(start: number, end: number): Readable;
}

/** The files of the log: live ones where it runs on this machine, else what has been saved. The same bytes have the same places in both. */
async function listLog({ api, blocks, workDir }: ClusterHandle, container: Container): Promise<LogFile[]> {
  const live = hasEnded(container) && container.log !== null ? [] : await listLive(liveLogDir(workDir, container.uuid));
  if (live.length > 0 || container.log === null) return live;
  const { files } = await readLog(api, container.log);
  return [...files.values()].map((file) => ({
    name: file.path,
    sizeBytes: file.sizeBytes,
    open: (start, end) => openFile(blocks, file, { start, end }),
  }));
}

async function listLive(directory: string): Promise<LogFile[]> {
  const names = (await readdir(directory).catch(() => [])).sort();
  const files = names.map(async (name): Promise<LogFile | undefined> => {
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    return (
      found && { name, sizeBytes: found.size, open: (start, end) => createReadStream(path, { start, end: end - 1 }) }
    );
  });
  return (await Promise.all(files)).filter((file) => file !== undefined);
}
