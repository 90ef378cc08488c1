import { type HallmarkError, isHallmarkError } from '../../core/errors.ts';
import type { PortableDataHash } from '../../core/ids.ts';
import { toCycloneDx } from '../../image/packages/cyclonedx.ts';
import type { PackageList } from '../../image/packages/model.ts';
import { findImages } from '../../provenance/ingredients.ts';
import type { ImageNode, ProvenanceNode } from '../../provenance/model.ts';
import { trace } from '../../provenance/trace.ts';
import { parseCommandArgs } from '../arguments/command-args.ts';
import { usageOf } from '../arguments/command-help.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { withCluster } from '../wire/cluster.ts';
import type { ClusterHandle } from '../wire/handle.ts';
import { createListPackages, type ListedImage } from '../wire/packages.ts';

const usage = usageOf('packages');
const options = { json: { type: 'boolean' }, cyclonedx: { type: 'boolean' } } as const;

/** `cwl-runner packages IMAGE|FILE|UUID|PDH [--json | --cyclonedx]`: what is installed in an image, or in the one that made a result. */
export async function packagesCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, options, 'packages');
  const [subject, ...more] = positionals;
  if (subject === undefined || more.length > 0) {
    throw cliError('cli/usage', `packages: expected one image or result, got ${positionals.length}`, { hint: usage });
  }
  const [image, list] = await withCluster(async (cluster) => {
    const hash = await findImage(cluster, subject);
    return [hash, await createListPackages(cluster)(hash)] as const;
  });
  process.stdout.write(print(image, list, values));
  return exitCodes.success;
}

function print(
  image: PortableDataHash,
  list: ListedImage,
  { json, cyclonedx }: { json?: boolean; cyclonedx?: boolean },
): string {
  if (cyclonedx) return `${JSON.stringify(toCycloneDx(list, { name: image, imageHash: list.imageHash }), null, 2)}\n`;
  return json ? `${JSON.stringify({ image, ...list }, null, 2)}\n` : render(image, list);
}

/** The newest image of that name or hash; else the image that the container ran in which made the result. */
async function findImage({ api, blocks }: ClusterHandle, subject: string): Promise<PortableDataHash> {
  const named = (await findImages(api, subject)).at(-1);
  if (named) return named;
  const { nodes } = await trace({ api, blocks }, subject).catch((error: unknown) => {
    if (!isHallmarkError(error, 'provenance/bad-subject')) throw error;
    throw cliError('cli/not-found', `packages: Keep has no image ${subject}, and it is no result`, { hint: usage });
  });
  if (nodes[0]?.kind === 'run') throw hasSeveral(subject, nodes.filter(isImage));
  // The nearest is what made the result itself; behind it come the images of the steps before.
  const nearest = nodes.find((node) => isImage(node) || node.kind === 'host');
  if (nearest && isImage(nearest)) return nearest.id;
  throw cliError('cli/not-found', `packages: ${subject} was made on the host itself: no record holds its software`, {
    hint: 'give the step a DockerRequirement, or run with --default-container',
  });
}

const isImage = (node: ProvenanceNode): node is ImageNode => node.kind === 'image';

function hasSeveral(run: string, images: readonly ImageNode[]): HallmarkError {
  return cliError('cli/not-found', `packages: ${run} is a run, which has several images`, {
    hint: `give one of them: ${images.map(({ id, names }) => names[0] ?? id).join(', ') || 'it has none'}`,
  });
}

function render(image: PortableDataHash, { distribution, packages, hidden, unread }: PackageList): string {
  const name = distribution ? ` (${[distribution.id, distribution.version].filter(Boolean).join(' ')})` : '';
  const lines = packages.map(
    ({ kind, name: own, version, layer }) => `${kind.padEnd(5)} ${own} ${version}  layer ${layer}`,
  );
  return [
    `image ${image}${name}: ${packages.length} packages`,
    ...lines,
    ...(hidden.length > 0
      ? [`in lower layers only: ${hidden.map((one) => `${one.name} ${one.version}`).join(', ')}`]
      : []),
    ...unread.map(({ path, reason }) => `not read: ${path}: ${reason}`),
    '',
  ].join('\n');
}
