import type { Readable, Writable } from 'node:stream';
import type { Image } from '../image/model.ts';

/** Executors of containers that have an image. */
export const containerExecutors = ['sandbox', 'docker', 'podman', 'apptainer'] as const;
export type ExecutorName = 'host' | (typeof containerExecutors)[number];

/** An image as crunch-run hands it over: the view, and the archive in `docker save` form for engines that load one. */
export interface LoadableImage {
  readonly image: Image;
  /** Fresh stream of the archive. */
  openArchive(signal?: AbortSignal): Promise<Readable>;
  /** Path of the archive where it lies whole on disk. */
  readonly archivePath?: string;
}

/** A host path that appears in the container. Sources exist; targets are absolute, normal, and may nest (parents first). */
export interface BindMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export type StreamTarget =
  /** Byte for byte into this file of the host, created or truncated. */
  | { readonly kind: 'file'; readonly path: string }
  /** Written at its own pace and never ended, so that two containers' streams may share one. */
  | { readonly kind: 'stream'; readonly writable: Writable }
  | { readonly kind: 'ignore' };

/** How the caller wants containers to be run, beside what their work asks for. */
export interface ContainerSettings {
  /** The network of those that have one, as the executor names it; absent: this machine's. */
  readonly networkName?: string;
  /** Nothing but binds and tmpfs can be written. */
  readonly readOnlyRoot?: boolean;
  /** The command runs as the user that the image names, not as the caller. */
  readonly asImageUser?: boolean;
  /** `vcpus` is the most that they get; otherwise it is only what was planned with. */
  readonly strictCpus?: boolean;
}

export interface ContainerSpec extends ContainerSettings {
  /** Unique on this machine: names the engine's container, control group and scratch folder. */
  readonly id: string;
  /** All of it: the entrypoint of the image, where it has one, comes first. */
  readonly command: readonly string[];
  readonly workingDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly binds: readonly BindMount[];
  /** Fresh empty directories in the container that vanish with it. */
  readonly tmpfs: readonly { readonly target: string; readonly sizeBytes?: number }[];
  readonly network: boolean;
  /** Of all the container's processes together. Exceeding it ends the container with `outOfMemory`. */
  readonly ramBytes?: number;
  readonly vcpus?: number;
  readonly gpu?: { readonly stack: 'cuda' | 'rocm'; readonly deviceCount: number };
  readonly stdin?: string;
  readonly stdout: StreamTarget;
  readonly stderr: StreamTarget;
  /** Scratch space of this container on the host: exists, empty, removed by the caller after `close`. */
  readonly scratchDir: string;
}

/** Success and failure share one shape. */
export interface ContainerExit {
  /** 0–255; a death by signal is 128 + its number, as shells say it. */
  readonly exitCode: number;
  readonly signal?: string;
  readonly outOfMemory: boolean;
  readonly usage: ContainerUsage;
  /** It saw its inputs as this machine has them, and nothing but their modes, which root ignores, kept it from writing to them. */
  readonly couldWriteInputs?: boolean;
}

/** What is known of it so far; an executor that cannot tell leaves a figure out. */
export interface ContainerUsage {
  readonly peakRamBytes?: number;
  readonly cpuUserSeconds?: number;
  readonly cpuSystemSeconds?: number;
  readonly readBytes?: number;
  readonly writtenBytes?: number;
}

/** One container that runs. The streams are flushed and every process has ended when `exit` resolves. */
export interface RunningContainer {
  readonly exit: Promise<ContainerExit>;
  /** Ends the whole process tree at once. Idempotent; `exit` resolves soon after. */
  stop(): Promise<void>;
  usage(): Promise<ContainerUsage>;
  /** Frees mounts, scratch, the engine's container. Idempotent; stops first. */
  close(): Promise<void>;
}

/**
 * What crunch-run starts containers with (Arvados #17296). `loadImage` is idempotent and shared by concurrent callers.
 * After a crash of the caller, `reap` ends and clears what its earlier containers left.
 */
export interface Executor {
  readonly name: ExecutorName;
  /** Name and version for logs: `docker 20.10.24`. Fails with `executor/unavailable`, with what to do as the hint. */
  runtime(): Promise<string>;
  /** An opaque reference for `start`. Skips the work when the engine has the image. */
  loadImage(image: LoadableImage, signal?: AbortSignal): Promise<LoadedImage>;
  /** The command has started when it resolves. Fails with `executor/start-failed` if it cannot be (not for a missing command: exit code 127). */
  start(image: LoadedImage, spec: ContainerSpec): Promise<RunningContainer>;
  /** Ends and clears every container of this executor whose id `isOwned` says is nobody's any more. */
  reap(isOwned: (id: string) => boolean): Promise<void>;
}

export interface LoadedImage {
  readonly executor: ExecutorName;
  readonly reference: string;
  /** `NAME=value` of the image's config, below what the spec sets. */
  readonly environment: readonly string[];
  readonly workingDir: string;
  readonly entrypoint: readonly string[];
  /** `user[:group]` of the image's config; absent: root. */
  readonly user?: string;
}
