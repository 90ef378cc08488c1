import type { Readable } from 'node:stream';
import type { Digest } from '../core/ids.ts';

/** OCI image-spec 1.1, "Content Descriptors". */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** OCI image-spec 1.1, "Image Index", platform. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** OCI image-spec 1.1, "Image Configuration": what of it is used. The exact bytes are kept beside it. */
export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly config?: {
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly WorkingDir?: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly ExposedPorts?: Readonly<Record<string, object>>;
    readonly Volumes?: Readonly<Record<string, object>>;
    readonly StopSignal?: string;
    readonly Shell?: readonly string[];
    readonly [other: string]: unknown;
  };
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly HistoryEntry[];
}

/** OCI image-spec 1.1, "Image Configuration", history. `created` is RFC 3339. */
export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/**
 * One layer, maybe not here yet. `diffId` is the digest of the uncompressed tar; `descriptor` names the bytes that `open`
 * gives. The reader verifies: `open` may be called again and fails with `image/blob-damaged` when the bytes do not match.
 */
export interface Layer {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
  open(signal?: AbortSignal): Promise<Readable>;
  /** The bytes from `offset` on, not verified; where the source can start in the middle. */
  openFrom?(offset: number, signal?: AbortSignal): Promise<Readable>;
}

/** An immutable view of one image. Sources and sinks of images all speak this. */
export interface Image {
  /** Digest of `configBytes`: the image id, "image hash" in Arvados. */
  readonly imageHash: Digest;
  readonly configBytes: Uint8Array;
  readonly config: ImageConfig;
  /** Base first; as many as `config.rootfs.diff_ids`. */
  readonly layers: readonly Layer[];
}
