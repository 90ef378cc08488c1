import { chmod, copyFile, lstat, mkdir, mkdtemp, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadableImage } from '../../executor/port.ts';
import type { RemoteContent } from '../../image/build/copy/remote-tree.ts';
import type { PlannedRemote } from '../../image/build/run/remotes.ts';
import { imageError } from '../../image/errors.ts';
import { redact } from '../../image/redact.ts';
import { formatReference, parseReference } from '../../image/reference.ts';
import type { BlockStore } from '../../keep/port.ts';
import type { LayerIndex } from '../images/layer-index.ts';
import { counting, createProgress } from '../images/progress.ts';
import { storeImage } from '../images/store-image.ts';
import { placeTree } from '../mounts/copy-tree.ts';
import { checkoutGitTree } from '../mounts/git-tree.ts';
import { literalContent, pathInCollection } from '../mounts/plan.ts';
import { openCollection } from '../mounts/stage.ts';
import { isInside } from '../paths.ts';
import type { BuiltinCommand, BuiltinTask, CollectionReader, ImageOpener, TreeCache } from '../port.ts';
import { type BuildRequest, type ContextMount, readBuildRequest } from './build-request.ts';
import type { ImageBuilder } from './builder.ts';

/** Of the output: which builder made the image. */
const builderProperty = 'hallmark-image-builder';

export interface BuildDeps {
  readonly builder: ImageBuilder;
  readonly collections: CollectionReader;
  readonly trees: TreeCache;
  readonly images: ImageOpener;
  readonly blocks: BlockStore;
  readonly layers: LayerIndex;
}

/** `docker build` (design 4.3): everything that it reads is in the record. */
export function createBuild(deps: BuildDeps): BuiltinCommand {
  return async (task, signal) => {
    const { container, report, scratchDir } = task;
    const request = readBuildRequest(container, task.secretMounts);
    const contextDir = request.context && (await layOutContext(request.context, task, deps, signal));
    const { text, fileName } = await readDockerfile(request, task, contextDir);
    report.line(`building with ${deps.builder.name}`);
    const { buildArgs, target, platform, secrets, clampSeconds } = request;
    const image = await deps.builder.build(
      {
        ...{ dockerfile: text, fileName, buildArgs, secrets, scratchDir },
        openBase: (reference, line) => openBase(request, deps, { reference, line, fileName }),
        openRemote: (remote) => openRemote(request, remote, { task, deps, fileName, signal }),
        ...(contextDir !== undefined && { contextDir }),
        ...(target !== undefined && { target }),
        ...(platform && { platform }),
        ...(clampSeconds !== undefined && { clampSeconds }),
      },
      report,
      signal,
    );
    const { blocks, layers } = deps;
    report.line(`built image ${image.imageHash}`);
    const onBytes = createProgress(image, 'storing', report);
    const options = { blocks, layers, report, signal, onBytes, references: [] };
    const { collection, properties } = await storeImage(counting(image, onBytes), options);
    return { exitCode: 0, output: { collection, properties: { ...properties, [builderProperty]: deps.builder.name } } };
  };
}

/**
 * The context as a directory of its own. Keep knows no permissions: every file from there is 0755, as a script has to be that
 * is to run; a commit keeps its own.
 */
async function layOutContext(
  mount: ContextMount,
  { scratchDir }: BuiltinTask,
  deps: BuildDeps,
  signal: AbortSignal,
): Promise<string> {
  if (mount.kind === 'git_tree') return checkoutGitTree(mount, join(scratchDir, 'context'), signal);
  const directory = join(scratchDir, 'context');
  await mkdir(directory);
  const collection = await openCollection(mount, deps.collections);
  if (collection) {
    const tree = await deps.trees.checkout(collection, pathInCollection(mount), signal);
    await placeTree(tree, directory, async (source, target) => {
      await copyFile(source, target);
      await chmod(target, 0o755);
    });
  }
  return directory;
}

async function readDockerfile(
  { dockerfile }: BuildRequest,
  { container }: BuiltinTask,
  contextDir: string | undefined,
): Promise<{ text: string; fileName: string }> {
  const mount = container.mounts[dockerfile];
  const fileName = dockerfile.replace(/^\/+/, '');
  if (mount?.kind === 'text') return { text: literalContent(mount), fileName };
  const path = contextDir === undefined ? undefined : await findInContext(contextDir, fileName);
  if (path !== undefined) return { text: await readFile(path, 'utf8'), fileName };
  throw imageError('image/bad-dockerfile', `expected a Dockerfile at ${dockerfile}, got nothing`, {
    hint: 'give it as a text mount "/Dockerfile", or name its path in the context',
  });
}

/** A context may hold symlinks: what is read must still lie in it. */
async function findInContext(contextDir: string, fileName: string): Promise<string | undefined> {
  const root = await realpath(contextDir);
  const path = await realpath(join(root, fileName)).catch(() => undefined);
  if (path === undefined || !isInside(path, root) || !(await lstat(path)).isFile()) return undefined;
  return path;
}

interface BaseName {
  readonly reference: string;
  readonly line: number;
  readonly fileName: string;
}

/** A base by the name in its FROM, however that name is written. */
async function openBase(
  request: BuildRequest,
  deps: BuildDeps,
  { reference, line, fileName }: BaseName,
): Promise<LoadableImage> {
  const wanted = canonical(reference);
  const [, mount] = [...request.bases].find(([name]) => name === reference || canonical(name) === wanted) ?? [];
  if (mount?.portable_data_hash) return deps.images.open(mount.portable_data_hash);
  throw imageError('image/bad-dockerfile', `expected the base image ${reference} in the mounts, got none`, {
    hint: `add a mount "/FROM/${reference}" of its image collection, by portable data hash`,
    where: { file: fileName, line },
  });
}

interface RemoteSetting {
  readonly task: BuiltinTask;
  readonly deps: BuildDeps;
  readonly fileName: string;
  readonly signal: AbortSignal;
}

/** What an ADD fetches, laid out from the mount of its URL: the only file of a collection, or the files of a commit. */
async function openRemote(
  { remotes, modifiedSeconds }: BuildRequest,
  { kind, url, line, keepGitDir }: PlannedRemote,
  { task, deps, fileName, signal }: RemoteSetting,
): Promise<RemoteContent> {
  const mount = remotes.get(url);
  if (kind === 'git' && mount?.kind === 'git_tree') {
    const scratch = await mkdtemp(join(task.scratchDir, 'added-'));
    return { kind, commit: mount.commit, dir: await checkoutGitTree(mount, scratch, signal, { keepGitDir }) };
  }
  const collection = mount?.kind === 'collection' ? await openCollection(mount, deps.collections) : undefined;
  const [file, ...more] = collection?.files.values() ?? [];
  if (kind === 'file' && collection && file && more.length === 0) {
    const modified = modifiedSeconds.get(url);
    const path = await deps.trees.checkout(collection, file.path, signal);
    return { kind, path, ...(modified !== undefined && { modifiedSeconds: modified }) };
  }
  const expected = kind === 'file' ? 'a collection of one file' : 'a git_tree';
  const message = `expected what ADD fetches from ${redact(url)} in the mounts, as ${expected}, got ${mount?.kind ?? 'none'}`;
  throw imageError('image/bad-dockerfile', message, {
    hint: 'add it as the mount "/ADD/<URL>": whoever asks for a build fetches what it adds',
    where: { file: fileName, line },
  });
}

function canonical(name: string): string {
  try {
    return formatReference(parseReference(name));
  } catch {
    return name;
  }
}
