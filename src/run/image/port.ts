import type { ClusterApi } from '../../api/port.ts';
import type { Digest, PortableDataHash, Uuid } from '../../core/ids.ts';
import type { Requirement } from '../../cwl/model.ts';
import type { Image } from '../../image/model.ts';
import type { ImageReference } from '../../image/reference.ts';
import type { BlockStore } from '../../keep/port.ts';
import type { RequestWaiter } from '../await-request.ts';
import type { Downloads } from '../downloads/port.ts';
import type { RunListener } from '../events.ts';
import type { InputStore } from '../inputs.ts';

/** When a registry is asked for an image that Keep may have (design 4.5). */
export type PullPolicy = 'missing' | 'newer' | 'always' | 'never';

export interface ResolvedImage {
  readonly portableDataHash: PortableDataHash;
  /** The name people know it by. */
  readonly reference: string;
  /** The pull or build request that this run submitted for it. */
  readonly request?: Uuid;
}

/** What is known of the work tree that a folder lies in. */
export interface GitFacts {
  readonly [property: `arv:git${string}`]: string;
}

export interface ImageServices {
  readonly api: ClusterApi;
  readonly blocks: BlockStore;
  readonly waiter: RequestWaiter;
  readonly inputs: InputStore;
  readonly emit: RunListener;
  readonly pull: PullPolicy;
  /** False: builds and pulls do not take the result of an earlier equal request. */
  readonly reuse: boolean;
  /** Properties of each request of this run. */
  readonly properties: Readonly<Record<string, string>>;
  /** The digest that the registry has now; only asked with `newer`. */
  readonly resolveDigest: (reference: ImageReference) => Promise<Digest>;
  readonly saveImage: SaveImage;
  readonly checkReach: CheckReach;
  /** By id; see `RunOptions`. */
  readonly buildSecrets?: ReadonlyMap<string, string>;
  /** Undefined outside a work tree. Of a folder that is taken as it is, or of a document in it that may name files elsewhere. */
  readonly gitFacts: (folder: string, scope: 'folder' | 'document') => Promise<GitFacts | undefined>;
  readonly git: GitReader;
  /** For ADD; absent: URLs in it are an error. */
  readonly downloads?: Downloads;
}

/** What a build context in a repository, and ADD of one, need. */
export interface GitReader {
  /** The commit that a branch or tag, or HEAD, names now. */
  resolveRef(repository: string, ref: string | undefined, signal: AbortSignal): Promise<string>;
  /** Text of a file; undefined where the commit has none there. */
  readFile(
    tree: { readonly url: string; readonly commit: string },
    path: string,
    signal: AbortSignal,
  ): Promise<string | undefined>;
}

/** Fails with `cwl/fetch-refused` where documents may not read the file or folder at a `file:` URI. */
export type CheckReach = (uri: string) => Promise<void>;

/** Puts an image into Keep under these names, as a collection of its own, and gives the name of its content. */
export type SaveImage = (
  image: Image,
  names: { readonly collection: string; readonly references: readonly ImageReference[] },
  signal?: AbortSignal,
) => Promise<PortableDataHash>;

export interface ImageResolver {
  /** Undefined where neither requirement names an image. Equal requirements are resolved once. */
  resolve(
    docker: Requirement | undefined,
    build: Requirement | undefined,
    signal?: AbortSignal,
  ): Promise<ResolvedImage | undefined>;
}

/** Resolves the reference of a base of a build, as `dockerPull` is resolved. */
export type ResolveBase = (reference: string, signal?: AbortSignal) => Promise<ResolvedImage>;
