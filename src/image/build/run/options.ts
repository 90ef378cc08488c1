import type { Claim } from '../../../core/claim.ts';
import type { Image } from '../../model.ts';
import type { RemoteContent } from '../copy/remote-tree.ts';
import type { BuildPlan } from '../plan/model.ts';
import type { BuildSandbox, LayerCache } from '../port.ts';
import type { BuildEvent } from './events.ts';

/** What a build is given. Equal plan, context, bases, secrets' ids and clamp give an equal image, but for what RUN writes. */
export interface BuildOptions {
  readonly plan: BuildPlan;
  /** Directory of the build context; needed only where `plan.usesContext`. */
  readonly contextDir?: string;
  /** Text of the ignore file (`readIgnoreFile` finds it). */
  readonly dockerignore?: string;
  /** The images of `plan.bases`, by their reference. */
  readonly bases: ReadonlyMap<string, Image>;
  /** What `listRemotes` lists, by its URL. */
  readonly remotes?: ReadonlyMap<string, RemoteContent>;
  readonly sandbox: BuildSandbox;
  readonly cache: LayerCache;
  /** Where `RUN --mount=type=cache` keeps its directories; without it each build has fresh ones. */
  readonly cacheMountsDir?: string;
  /** Of a directory in there, where others clear what is unused. */
  readonly claim?: Claim;
  /** For files that go with the build; default: the machine's temporary folder, where a crash leaves them. */
  readonly scratchDir?: string;
  /** By id. Never in layers, history, keys, events or errors. */
  readonly secrets?: ReadonlyMap<string, Uint8Array>;
  readonly onEvent?: (event: BuildEvent) => void;
  readonly signal?: AbortSignal;
  /** Seconds since the epoch: the creation time of the image, and the latest time of any file that the build makes. */
  readonly clampSeconds: number;
}
