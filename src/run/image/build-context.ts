import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HallmarkError, isHallmarkError } from '../../core/errors.ts';
import type { Position } from '../../cwl/model.ts';
import type { CwlDirectory } from '../../cwl/values.ts';
import type { GitReference } from '../../image/git-reference.ts';
import { readText } from '../../keep/file-reader.ts';
import { parseKeepLocation } from '../../keep/location.ts';
import type { ResolvedBuild } from '../../request/build-request.ts';
import { readCollection } from '../collections.ts';
import { runError } from '../errors.ts';
import { checkReach } from './check-reach.ts';
import { parseGitUrl } from './git-url.ts';
import type { ImageServices } from './port.ts';
import { type BuildInstructions, nameOfBuild } from './requirement.ts';

/** A Dockerfile is short; a longer one is a mistake or an attack. */
const maxDockerfileBytes = 1024 * 1024;

/** The context as a mount names it: where a branch pointed when the build was asked for. */
export type PinnedContext = NonNullable<ResolvedBuild['context']>;

/** Puts the context into Keep, where it is not there already; of a repository the commit is found out. */
export async function pinContext(
  services: ImageServices,
  { context, position }: BuildInstructions,
  signal: AbortSignal,
): Promise<PinnedContext | undefined> {
  if (context === undefined) return undefined;
  if (typeof context !== 'string') {
    await checkContext(services, context.location, position);
    const { location } = (await services.inputs.store(context).catch((cause: unknown) => {
      if (!isHallmarkError(cause, 'run/input-missing')) throw cause;
      throw runError('run/input-missing', `context of hm:ImageBuild: ${cause.message}`, {
        where: position,
        hint: 'its location is relative to the document that names it',
        cause,
      });
    })) as CwlDirectory;
    return parseKeepLocation(location ?? '');
  }
  if (context.startsWith('keep:')) return parseKeepLocation(context);
  const git = parseGitUrl(context, position);
  await checkContext(services, git?.repository, position);
  if (git) return pinCommit(services, git, position, signal);
  throw runError(
    'run/bad-requirement',
    `expected a Directory, or a keep: or git URL as context of hm:ImageBuild, got ${JSON.stringify(context)}`,
    { where: position, hint: 'a repository is written as docker does: https://host/repo.git#ref:subdir' },
  );
}

async function checkContext(services: ImageServices, uri: string | undefined, position: Position): Promise<void> {
  if (uri?.startsWith('file:')) await checkReach(services, uri, { field: 'context of hm:ImageBuild', position });
}

async function pinCommit(
  { git }: ImageServices,
  { repository, ref, subdir }: GitReference,
  position: BuildInstructions['position'],
  signal: AbortSignal,
): Promise<PinnedContext> {
  const commit = await git
    .resolveRef(repository, ref, signal)
    .catch((cause) => Promise.reject(toContextError(cause, position)));
  return { url: repository, commit, ...(subdir && { path: subdir }) };
}

const toContextError = (cause: unknown, position: BuildInstructions['position']): unknown =>
  cause instanceof HallmarkError
    ? runError('run/bad-requirement', `context of hm:ImageBuild: ${cause.message}`, {
        where: position,
        ...(cause.hint && { hint: cause.hint }),
      })
    : cause;

/** The Dockerfile that lies in the context. */
export async function readDockerfile(
  services: ImageServices,
  { dockerfile, position }: BuildInstructions,
  context: PinnedContext | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (context === undefined) throw new Error('without a text, instructions have a context');
  const path = [context.path ?? '', dockerfile.replace(/^\/+/, '')].filter((part) => part !== '').join('/');
  const found =
    'url' in context
      ? await readFromCommit(services, context, path, signal)
      : await readFromKeep(services, context, path);
  if (typeof found === 'string') return found;
  const got = found.sizeBytes === undefined ? 'none' : `${found.sizeBytes} bytes`;
  throw runError(
    'run/bad-requirement',
    `expected a Dockerfile of at most 1 MiB at ${path} in the build context, got ${got}`,
    { where: position, hint: 'set dockerfile of hm:ImageBuild to its path in the context' },
  );
}

/** The text, or the size of what is too long or not there. */
type FoundText = string | { readonly sizeBytes?: number };

async function readFromKeep(
  { api, blocks }: ImageServices,
  { portableDataHash }: Extract<PinnedContext, { portableDataHash: unknown }>,
  path: string,
): Promise<FoundText> {
  const file = (await readCollection(api, portableDataHash)).files.get(path);
  if (file && file.sizeBytes <= maxDockerfileBytes) return readText(blocks, file);
  return file ? { sizeBytes: file.sizeBytes } : {};
}

async function readFromCommit(
  { git }: ImageServices,
  tree: Extract<PinnedContext, { url: string }>,
  path: string,
  signal: AbortSignal,
): Promise<FoundText> {
  const text = await git.readFile(tree, path, signal);
  if (text === undefined || text.length <= maxDockerfileBytes) return text ?? {};
  return { sizeBytes: text.length };
}

/** For messages: the path of the Dockerfile where it is a file of this machine, else what it belongs to. */
export function placeOfDockerfile(instructions: BuildInstructions): string {
  const { text, context, dockerfile } = instructions;
  if (text === undefined && typeof context === 'object' && context.location?.startsWith('file:'))
    return join(fileURLToPath(context.location), dockerfile);
  const { imageId: _imageId, ...unnamed } = instructions;
  return nameOfBuild(unnamed);
}

/** Where on the host the instructions come from: the folder of the context, else that of the document. */
export function sourceOf({ context, position }: BuildInstructions): [string, 'folder' | 'document'] {
  if (typeof context === 'object' && context.location?.startsWith('file:'))
    return [fileURLToPath(context.location), 'folder'];
  return [dirname(position.file.startsWith('file:') ? fileURLToPath(position.file) : position.file), 'document'];
}
