import { join } from 'node:path';
import type { Claim } from '../../core/claim.ts';
import type { LoadableImage } from '../../executor/port.ts';
import { buildImage } from '../../image/build/build.ts';
import { readIgnoreFile } from '../../image/build/copy/ignore.ts';
import { planBuild } from '../../image/build/plan/plan.ts';
import type { BuildSandbox, LayerCache } from '../../image/build/port.ts';
import type { BuildEvent } from '../../image/build/run/events.ts';
import type { Image, Platform } from '../../image/model.ts';
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
      const bases = new Map<string, Image>();
      for (const { reference, line } of plan.bases) {
        bases.set(reference, (await inputs.openBase(reference, line)).image);
      }
      const dockerignore =
        contextDir === undefined ? undefined : await readIgnoreFile(contextDir, join(contextDir, fileName));
      return buildImage({
        ...{ plan, bases, sandbox, cache, secrets, signal, scratchDir: inputs.scratchDir },
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

/** A build has no time of its own: it is as old as what it stands on. */
export function newestOf(images: Iterable<Image>): number {
  const times = [...images].map(({ config }) => Date.parse(config.created ?? '') / 1000);
  return Math.max(0, ...times.filter(Number.isFinite).map(Math.floor));
}

function reportEvent(event: BuildEvent, report: BuiltinReport): void {
  const { stage, number, total, text } = event.step;
  const [firstLine = ''] = text.split('\n');
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
