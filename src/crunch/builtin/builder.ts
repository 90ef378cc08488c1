import { join } from 'node:path';
import type { Claim } from '../../core/claim.ts';
import type { LoadableImage } from '../../executor/port.ts';
import { buildImage } from '../../image/build/build.ts';
import { readIgnoreFile } from '../../image/build/copy/ignore.ts';
import { type RemoteContent, verifyRemote } from '../../image/build/copy/remote-tree.ts';
import type { BuildPlan } from '../../image/build/plan/model.ts';
import { planBuild } from '../../image/build/plan/plan.ts';
import type { BuildSandbox, LayerCache } from '../../image/build/port.ts';
import type { BuildEvent } from '../../image/build/run/events.ts';
import { listRemotes, type PlannedRemote } from '../../image/build/run/remotes.ts';
import type { Image, Platform } from '../../image/model.ts';
import { redact } from '../../image/redact.ts';
import type { BuiltinReport } from '../port.ts';

/** Everything that an image is built from; all of it comes from the request. */
export interface BuildInputs {
  readonly dockerfile: string;
  /** Name of the Dockerfile, for messages and for its own ignore file. */
  readonly fileName: string;
  /** The context on disk; nobody changes it during the build. */
  readonly contextDir?: string;
  /** By the name that the Dockerfile gives. Fails with `image/bad-dockerfile` for one that the request does not hold. */
  readonly openBase: (reference: string, line: number) => Promise<LoadableImage>;
  /** What an ADD fetches. Fails as `openBase` does, and for content that is not what `--checksum` says. */
  readonly openRemote: (remote: PlannedRemote) => Promise<RemoteContent>;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: Platform;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  /** Seconds since the epoch, from the request; without it the creation time of the newest base. */
  readonly clampSeconds?: number;
  /** Exists, empty, removed by the caller. */
  readonly scratchDir: string;
}

/**
 * Builds an image from a Dockerfile: our own builder, or an engine that is installed. Equal inputs give an image of equal content.
 * A crash leaves nothing but the scratch directory. Fails with the codes of `image/`.
 */
export interface ImageBuilder {
  readonly name: string;
  build(inputs: BuildInputs, report: BuiltinReport, signal: AbortSignal): Promise<Image>;
}

export interface BuilderDeps {
  readonly sandbox: BuildSandbox;
  readonly cache: LayerCache;
  /** Where `RUN --mount=type=cache` keeps its directories from build to build. */
  readonly cacheMountsDir?: string;
  /** Of one of them, where others clear what is unused. */
  readonly claim?: Claim;
}

/** Our own builder: no engine, no daemon. */
export function createImageBuilder({ sandbox, cache, cacheMountsDir, claim }: BuilderDeps): ImageBuilder {
  return {
    name: 'hallmark',
    async build(inputs, report, signal) {
      const { dockerfile, fileName, contextDir, buildArgs, target, platform, secrets } = inputs;
      const named = { ...(target !== undefined && { target }), ...(platform && { platform }) };
      const plan = planBuild(dockerfile, { buildArgs, fileName, ...named });
      const bases = await openBases(plan, inputs);
      const remotes = await openRemotes(plan, bases, inputs);
      const dockerignore =
        contextDir === undefined ? undefined : await readIgnoreFile(contextDir, join(contextDir, fileName));
      return buildImage({
        ...{ plan, bases, remotes, sandbox, cache, secrets, signal, scratchDir: inputs.scratchDir },
        clampSeconds: inputs.clampSeconds ?? newestOf(bases.values()),
        onEvent: (event) => reportEvent(event, report),
        ...(contextDir !== undefined && { contextDir }),
        ...(dockerignore !== undefined && { dockerignore }),
        ...(cacheMountsDir !== undefined && { cacheMountsDir }),
        ...(claim && { claim }),
      });
    },
  };
}

/** The images of all bases, by their reference. */
export async function openBases({ bases }: BuildPlan, { openBase }: BuildInputs): Promise<Map<string, Image>> {
  const images = new Map<string, Image>();
  for (const { reference, line } of bases) images.set(reference, (await openBase(reference, line)).image);
  return images;
}

/** All that the build fetches, by URL; opened once, and compared with every `--checksum`. */
export async function openRemotes(
  plan: BuildPlan,
  bases: ReadonlyMap<string, Image>,
  { openRemote }: BuildInputs,
): Promise<Map<string, RemoteContent>> {
  const all = listRemotes(plan, bases);
  const contents = new Map<string, RemoteContent>();
  for (const remote of all) {
    const keepGitDir = all.some(({ url, keepGitDir: keeps }) => keeps && url === remote.url);
    const content = contents.get(remote.url) ?? (await openRemote({ ...remote, keepGitDir }));
    await verifyRemote(remote, content, plan.dockerfile.fileName);
    contents.set(remote.url, content);
  }
  return contents;
}

/** A build has no time of its own: it is as old as what it stands on. */
export function newestOf(images: Iterable<Image>): number {
  const times = [...images].map(({ config }) => Date.parse(config.created ?? '') / 1000);
  return Math.max(0, ...times.filter(Number.isFinite).map(Math.floor));
}

function reportEvent(event: BuildEvent, report: BuiltinReport): void {
  const { stage, number, total, text } = event.step;
  const [firstLine = ''] = redact(text).split('\n');
  switch (event.kind) {
    case 'start':
      report.line(`[${stage} ${number}/${total}] ${firstLine}`);
      report.activity(`[${number}/${total}] ${firstLine}`);
      break;
    case 'end':
      if (event.outcome === 'cached') report.line(`[${stage} ${number}/${total}] cached`);
      break;
    case 'output':
      report.output(event.stream, event.text);
  }
}
