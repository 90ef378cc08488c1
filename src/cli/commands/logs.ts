import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterApi } from '../../api/port.ts';
import type { Container } from '../../api/records.ts';
import { isUuid, type Uuid } from '../../core/ids.ts';
import { liveLogDir } from '../../crunch/logs/container-logs.ts';
import { openFile } from '../../keep/file-reader.ts';
import { readCollection } from '../../run/collections.ts';
import { cliError } from '../usage-error.ts';
import { type ClusterHandle, withCluster } from '../wire/cluster.ts';

const pollMs = 200;
const lineFiles = ['crunch-run.txt', 'stderr.txt', 'stdout.txt'];

/** `cwl-runner logs [-f] UUID [FILE]`: the log of a container or container request; all its lines, or one file of it as it is. */
export async function logsCommand(args: readonly string[]): Promise<number> {
  const follow = args.includes('-f') || args.includes('--follow');
  const [name, file] = args.filter((arg) => !arg.startsWith('-'));
  if (name === undefined || !isUuid(name)) {
    throw cliError('cli/usage', `expected the uuid of a container or container request, got ${name ?? 'none'}`, {
      hint: 'cwl-runner logs [-f] UUID [stdout.txt|stderr.txt|crunch-run.txt]',
    });
  }
  await withCluster(async (cluster) => {
    const container = await findContainer(cluster.api, name);
    if (follow) await followLive(cluster, container.uuid, file);
    const latest = await cluster.api.get('containers', container.uuid);
    if (!follow || latest.log !== null) await printSaved(cluster, latest, file, follow);
  });
  return 0;
}

async function findContainer(api: ClusterApi, uuid: Uuid): Promise<Container> {
  if (uuid.slice(6, 11) !== 'xvhdp') return api.get('containers', uuid);
  const request = await api.get('container_requests', uuid);
  if (request.container_uuid) return api.get('containers', request.container_uuid);
  if (request.properties['hm:kind'] === 'run') {
    throw cliError('cli/not-found', `${uuid} is a run: its steps have the logs`, {
      hint: `cwl-runner provenance ${uuid} lists its steps`,
    });
  }
  throw cliError('cli/not-found', `request ${uuid} has no container`, { hint: `its state is ${request.state}` });
}

/** Prints what the live log gets until the container has ended. */
async function followLive({ api, workDir }: ClusterHandle, uuid: Uuid, only: string | undefined): Promise<void> {
  const directory = liveLogDir(workDir, uuid);
  const read = new Map<string, number>();
  for (;;) {
    const { state } = await api.get('containers', uuid);
    for (const name of (await readdir(directory).catch(() => [])).filter((entry) => wanted(entry, only))) {
      const path = join(directory, name);
      const start = read.get(name) ?? 0;
      const end = await stat(path).then(
        ({ size }) => size,
        () => start,
      );
      if (end <= start) continue;
      await print(createReadStream(path, { start, end: end - 1 }));
      read.set(name, end);
    }
    if (state === 'Complete' || state === 'Cancelled' || process.stdout.errored) return;
    await delay(pollMs);
  }
}

async function printSaved(
  { api, blocks, workDir }: ClusterHandle,
  container: Container,
  only: string | undefined,
  followed: boolean,
): Promise<void> {
  if (container.log === null) {
    for (const name of (await readdir(liveLogDir(workDir, container.uuid)).catch(() => [])).filter((entry) =>
      wanted(entry, only),
    )) {
      await print(createReadStream(join(liveLogDir(workDir, container.uuid), name)));
    }
    return;
  }
  if (followed) return;
  const collection = await readCollection(api, container.log);
  for (const file of collection.files.values()) if (wanted(file.path, only)) await print(openFile(blocks, file));
}

const wanted = (name: string, only: string | undefined): boolean =>
  only === undefined ? lineFiles.includes(name) : name === only;

async function print(stream: Readable): Promise<void> {
  for await (const chunk of stream) process.stdout.write(chunk as Buffer);
}
