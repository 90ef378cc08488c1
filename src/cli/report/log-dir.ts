import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ContainerRequest, Mount } from '../../api/records.ts';
import { toMessage } from '../../core/errors.ts';
import type { PortableDataHash, Uuid } from '../../core/ids.ts';
import { openFile } from '../../keep/file-reader.ts';
import { readCollection, readLog } from '../../run/collections.ts';
import { listStepRequests } from '../../run/run-record.ts';
import { cliError } from '../errors.ts';
import type { ClusterHandle } from '../wire/handle.ts';

/**
 * `--log-dir`: standard output and error of each step of a run, as files of `folder/STEP/`. What a tool writes into files of its
 * own (`stdout`, `stderr`) keeps the names that it gives them, the rest is stdout.txt and stderr.txt. Read from the records, so
 * that reused and failed steps have theirs too.
 */
export async function writeLogDir(cluster: ClusterHandle, run: Uuid, folder: string): Promise<void> {
  for (const request of await listStepRequests(cluster.api, run)) {
    if (request.container_uuid === null) continue;
    const { log, output } = await cluster.api.get('containers', request.container_uuid);
    const target = join(folder, folderOf(request));
    for (const name of ['stdout', 'stderr']) {
      const redirected = pathOf(request.mounts[name], request);
      if (redirected === undefined) await copy(cluster, { from: log, path: `${name}.txt`, isTimed: true }, target);
      else await copy(cluster, { from: output, path: redirected, isTimed: false }, target);
    }
  }
}

/** Steps of subworkflows lie in the folders of these; a name is a URI fragment and has no `..` of its own. */
const folderOf = ({ name, properties }: ContainerRequest): string =>
  String(properties['hm:step'] ?? name)
    .split('/')
    .map((part) => (/^\.*$/.test(part) ? `_${part}` : part))
    .join('/');

const pathOf = (mount: Mount | undefined, { output_path }: ContainerRequest): string | undefined =>
  mount?.kind === 'file' ? mount.path.slice(output_path.length + 1) : undefined;

interface Stored {
  readonly from: PortableDataHash | null;
  readonly path: string;
  /** Each line has its time before it. */
  readonly isTimed: boolean;
}

async function copy({ api, blocks }: ClusterHandle, { from, path, isTimed }: Stored, folder: string): Promise<void> {
  const file = from === null ? undefined : (await (isTimed ? readLog : readCollection)(api, from)).files.get(path);
  if (!file) return;
  const target = join(folder, path);
  try {
    await mkdir(dirname(target), { recursive: true });
    const content = openFile(blocks, file);
    await pipeline(isTimed ? withoutTimes(content) : content, createWriteStream(target));
  } catch (cause) {
    throw cliError('cli/not-found', `cannot write the log ${target}: ${toMessage(cause)}`, {
      hint: 'choose another folder with --log-dir',
      cause,
    });
  }
}

/** A log's lines as they were written. */
async function* withoutTimes(content: Readable): AsyncGenerator<string> {
  for await (const line of createInterface({ input: content })) yield `${line.replace(/^[\dTZ:.-]+ /, '')}\n`;
}
