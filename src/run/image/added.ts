import { mapLimited } from '../../core/concurrency.ts';
import { isHallmarkError } from '../../core/errors.ts';
import type { PortableDataHash } from '../../core/ids.ts';
import { openArchive } from '../../image/archive/open.ts';
import { checkDigest } from '../../image/build/copy/remote-tree.ts';
import type { BuildPlan } from '../../image/build/plan/model.ts';
import { fetchesOf, listRemotes, type PlannedRemote } from '../../image/build/run/remotes.ts';
import type { Image } from '../../image/model.ts';
import { redact } from '../../image/redact.ts';
import { toRandomAccess } from '../../keep/random-access.ts';
import type { AddedContent } from '../../request/build-request.ts';
import { readCollection } from '../collections.ts';
import { modifiedSecondsOf } from '../downloads/freshness.ts';
import { runError } from '../errors.ts';
import type { ImageServices } from './port.ts';

/** What an ADD fetched, and what is known of it beside its content: what the server said, or the commit. */
export interface Added extends AddedContent {
  readonly facts: Readonly<Record<string, string>>;
}

/** Base images in Keep, by the reference that the Dockerfile has. */
type Bases = readonly { readonly reference: string; readonly image: PortableDataHash }[];

interface FetchOptions {
  readonly bases: Bases;
  /** What is being fetched now. */
  readonly tell: (url: string) => void;
}

/** Files and repositories that are asked for at a time. */
const parallelFetches = 4;

/**
 * Fetches what the ADDs of a plan name, so that the request of the build holds it by content: a file into Keep, of a repository the
 * commit that its ref names now. Fails with `run/download-failed` or `image/digest-mismatch`, which give the line of the ADD.
 */
export async function fetchAdded(
  services: ImageServices,
  plan: BuildPlan,
  { bases, tell }: FetchOptions,
  signal: AbortSignal,
): Promise<Added[]> {
  const fetches = fetchesOf(plan);
  if (fetches === 'nothing') return [];
  const remotes = listRemotes(plan, fetches === 'variable' ? await openBases(services, bases, signal) : new Map());
  const { fileName } = plan.dockerfile;
  const byUrl = [...Map.groupBy(remotes, ({ url }) => url)];
  return mapLimited(byUrl, parallelFetches, async ([url, adds]) => {
    tell(redact(url));
    const { digest, ...added } = await fetchOnce(services, adds, signal).catch((error) =>
      Promise.reject(locate(error, fileName, adds[0]?.line)),
    );
    for (const add of adds) checkDigest(add, digest, fileName);
    return added;
  });
}

/** What all ADDs of one URL get, and what their checksums are compared with. */
async function fetchOnce(
  { git, downloads }: ImageServices,
  adds: readonly PlannedRemote[],
  signal: AbortSignal,
): Promise<Added & { readonly digest: string }> {
  const [remote] = adds;
  if (!remote) throw new RangeError('an ADD of nothing');
  const { url } = remote;
  if (remote.kind === 'git') {
    const { repository, ref, subdir } = remote.git;
    const commit = await git.resolveRef(repository, ref, signal);
    return { url, content: { url: repository, commit, ...(subdir && { path: subdir }) }, facts: {}, digest: commit };
  }
  if (!downloads) throw runError('run/download-failed', `cannot download ${redact(url)} here`);
  const checksum = adds.find((add) => add.checksum !== undefined)?.checksum;
  const wanted = checksum?.replace(/^sha256:/, '');
  const { portableDataHash, sha256, said } = await downloads.fetchDated(url, { sha256: wanted, signal });
  const modifiedSeconds = modifiedSecondsOf(said);
  return {
    ...{ url, content: { portableDataHash }, facts: { ...said, sha256 }, digest: `sha256:${sha256}` },
    ...(modifiedSeconds !== undefined && { modifiedSeconds }),
  };
}

function locate(error: unknown, file: string, line = 0): unknown {
  if (!isHallmarkError(error) || error.where?.line !== undefined) return error;
  const { message, hint, retryable } = error;
  return runError('run/download-failed', `ADD: ${message}`, {
    where: { file, line },
    cause: error,
    retryable,
    ...(hint !== undefined && { hint }),
  });
}

/** For the variables that they set. */
async function openBases(
  { api, blocks }: ImageServices,
  bases: Bases,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Image>> {
  const images = await mapLimited(bases, parallelFetches, async ({ reference, image }) => {
    const [file] = (await readCollection(api, image)).files.values();
    if (!file) throw runError('run/image-unusable', `expected an image in ${image}, got an empty collection`);
    return [reference, await openArchive(toRandomAccess(blocks, file), { name: reference, signal })] as const;
  });
  return new Map(images);
}

/** By URL; what git fetched is named by its mount alone. */
export function toAddedFacts(added: readonly Added[]): Readonly<Record<string, Added['facts']>> {
  return Object.fromEntries(added.flatMap(({ url, facts }) => (Object.keys(facts).length > 0 ? [[url, facts]] : [])));
}
