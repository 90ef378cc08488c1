import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../../core/ids.ts';
import { type CopyPart, makeCopyLayer, selectCopy } from '../../../image/build/copy/copy-layer.ts';
import type { RemoteContent } from '../../../image/build/copy/remote-tree.ts';
import type { CopyInstruction } from '../../../image/build/dockerfile/instructions.ts';
import type { BuildPlan } from '../../../image/build/plan/model.ts';
import { fileNameOf } from '../../../image/build/plan/remote.ts';
import type { PlannedRemote } from '../../../image/build/run/remotes.ts';
import { toRemotePart } from '../../../image/build/run/sources.ts';
import { scratchState, toImage, withHistory } from '../../../image/build/run/state.ts';
import { imageError } from '../../../image/errors.ts';
import { mergeViews } from '../../../image/layers/merged-tree.ts';
import { mediaTypes } from '../../../image/media-types.ts';
import type { Image, Layer } from '../../../image/model.ts';

export interface PackOptions {
  readonly plan: BuildPlan;
  readonly clampSeconds: number;
  readonly scratchDir: string;
}

/**
 * What ADDs fetch as an image, each source in a folder named by its number in `remotes`, so that an engine copies it as it is and
 * asks nobody for it. Undefined where nothing is fetched.
 */
export async function packAdded(
  remotes: readonly PlannedRemote[],
  contents: ReadonlyMap<string, RemoteContent>,
  { plan, clampSeconds, scratchDir }: PackOptions,
): Promise<Image | undefined> {
  if (remotes.length === 0) return undefined;
  const lines = new Set(plan.dockerfile.instructions.flatMap(({ kind, line }) => (kind === 'add' ? [line] : [])));
  const trigger = remotes.find(({ line }) => !lines.has(line));
  if (trigger) throw unsupported(plan, trigger, 'an ONBUILD trigger that fetches');
  let state = scratchState(plan.platform);
  for (const [index, remote] of remotes.entries()) {
    const part = toRemotePart(contents.get(remote.url), remote, { keepGitDir: remote.keepGitDir, unpack: false });
    const named = part.baseName === '' ? { ...part, baseName: nameless } : part;
    const file = join(scratchDir, `added-${index}.tar`);
    state = withHistory(
      state,
      `ADD ${index}`,
      clampSeconds,
      await writeLayer(named, `/${index}/`, { file, clampSeconds }),
    );
  }
  return toImage(state, clampSeconds);
}

/** A file that its URL does not name. */
const nameless = 'file';

async function writeLayer(
  part: CopyPart,
  destination: string,
  { file, clampSeconds }: { readonly file: string; readonly clampSeconds: number },
): Promise<Layer> {
  const spec = { keyword: 'ADD', inline: [], destination, excludes: [], parents: false } as const;
  const selection = await selectCopy(spec, [part]);
  try {
    return await makeCopyLayer(selection, mergeViews([], []), { clampSeconds }, async (tar) => {
      const hash = createHash('sha256');
      let size = 0;
      const observe = async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          size += chunk.length;
          yield chunk;
        }
      };
      await pipeline(tar, observe, createWriteStream(file));
      const digest = `sha256:${hash.digest('hex')}` as Digest;
      const descriptor = { mediaType: mediaTypes.ociLayer, digest, size };
      return { diffId: digest, descriptor, open: async () => createReadStream(file) };
    });
  } finally {
    await selection.close();
  }
}

interface AddedImage {
  readonly plan: BuildPlan;
  readonly remotes: readonly PlannedRemote[];
  /** Its name in the engine. */
  readonly image: string;
}

/**
 * The COPY that does what an ADD of fetched sources says; undefined for one of the context alone. Fails with
 * `image/unsupported-instruction` for what no COPY can do.
 */
export function copyAdded(add: CopyInstruction, { plan, remotes, image }: AddedImage): string | undefined {
  const places = add.sources.map((source) => {
    const index = remotes.findIndex((remote) => remote.line === add.line && remote.source === source);
    const remote = remotes[index];
    return remote && `/${index}/${remote.kind === 'file' ? (fileNameOf(remote.url) ?? nameless) : ''}`;
  });
  const sources = places.filter((place) => place !== undefined);
  if (sources.length === 0) return undefined;
  if (add.unpack === true) throw unsupported(plan, add, 'an ADD --unpack of what is fetched');
  if (sources.length < places.length || add.inline.length > 0)
    throw unsupported(plan, add, 'an ADD of fetched files beside others');
  const odd = sources.find((place) => !/^[\w./+@%=,:~-]+$/.test(place));
  if (odd !== undefined)
    throw unsupported(plan, add, `an ADD of a file called ${JSON.stringify(odd.replace(/^\/\d+\//, ''))}`);
  const { chown, chmod, excludes, link, destination } = add;
  const flags = [
    ...[`--from=${image}`, ...(chown === undefined ? [] : [`--chown=${chown}`])],
    ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
    ...excludes.map((pattern) => `--exclude=${pattern}`),
    ...(link ? ['--link'] : []),
  ];
  return `COPY ${flags.join(' ')} ${JSON.stringify([...sources, destination])}`;
}

const unsupported = ({ dockerfile }: BuildPlan, { line }: { readonly line: number }, what: string) =>
  imageError('image/unsupported-instruction', `this builder cannot do ${what}`, {
    where: { file: dockerfile.fileName, line },
    hint: 'build it with --builder=hallmark, or write an ADD of its own for it',
  });
