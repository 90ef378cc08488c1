import { stat } from 'node:fs/promises';
import { HallmarkError, toMessage } from '../../core/errors.ts';
import { saveImage } from '../../crunch/images/save-image.ts';
import { fileAccess } from '../../image/archive/folder.ts';
import type { ArchivedImage } from '../../image/archive/model.ts';
import { openArchive, openLayout } from '../../image/archive/open.ts';
import { parseReference } from '../../image/reference.ts';
import { parseCommandArgs } from '../arguments/command-args.ts';
import { usageOf } from '../arguments/command-help.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { withCluster } from '../wire/cluster.ts';

/** `cwl-runner image load [--name REPO:TAG] ARCHIVE`: puts an image into Keep, as arv-keepdocker does. */
export async function imageCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, { name: { type: 'string' } }, 'image');
  const [action, path, ...more] = positionals;
  if (action !== 'load' || path === undefined || more.length > 0) {
    const got = positionals.join(' ') || 'nothing';
    throw cliError('cli/usage', `image: expected "load" and one archive, got ${got}`, { hint: usageOf('image') });
  }
  await withCluster((cluster) => loadArchive(cluster, path, values.name));
  return exitCodes.success;
}

async function loadArchive(
  { api, blocks }: Parameters<Parameters<typeof withCluster>[0]>[0],
  path: string,
  name: string | undefined,
): Promise<void> {
  const image = await openImage(path);
  const references = (name === undefined ? image.repoTags : [name]).map(parseReference);
  if (references.length === 0) process.stderr.write('the archive names no image: --name REPO:TAG gives it one\n');
  const record = await saveImage(image, {
    api,
    blocks,
    name: `Docker image ${name ?? path}`,
    references,
    signal: new AbortController().signal,
  });
  process.stdout.write(`${record.uuid} ${record.portable_data_hash} ${image.imageHash}\n`);
}

async function openImage(path: string): Promise<ArchivedImage> {
  try {
    if ((await stat(path)).isDirectory()) return await openLayout(path);
    return await openArchive(await fileAccess(path), { name: path });
  } catch (cause) {
    if (cause instanceof HallmarkError) throw cause;
    throw cliError('cli/not-found', `image: cannot read ${path}: ${toMessage(cause)}`, {
      hint: usageOf('image'),
      cause,
    });
  }
}
