import { isUuid, type PortableDataHash, type Uuid } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';

/**
 * The wire records, with Arvados' own names (Arvados API 3.2, "Containers", "Container requests", "Collections",
 * "Links", "Logs"). Times are RFC 3339 UTC. Amounts are bytes and seconds.
 */
interface RecordBase {
  readonly uuid: Uuid;
  readonly owner_uuid: string;
  readonly created_at: string;
  readonly modified_at: string;
}

/** What appears at one path of a container (Arvados API 3.2, "Containers", mount types). */
export type Mount =
  | {
      readonly kind: 'collection';
      readonly portable_data_hash?: PortableDataHash;
      readonly uuid?: Uuid;
      readonly path?: string;
      readonly writable?: boolean;
      /** Below output_path only: it is not to be part of the output. */
      readonly exclude_from_output?: boolean;
    }
  | { readonly kind: 'tmp'; readonly capacity: number }
  | { readonly kind: 'text'; readonly content: string }
  | { readonly kind: 'json'; readonly content: unknown }
  /** Only as `stdin`, `stdout` and `stderr`: the path in the container of the file that gives or receives the stream. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'git_tree'; readonly url: string; readonly commit: string; readonly path?: string };

/** By target: an absolute path in the container, or `stdin`, `stdout`, `stderr`. */
export type Mounts = Readonly<Record<string, Mount>>;

/** What a container needs to run (Arvados API 3.2, "Containers", runtime constraints). Bytes; whole cores. */
export interface RuntimeConstraints {
  /** Network access for the container (and, on a cluster, its API). */
  readonly API?: boolean;
  readonly ram: number;
  readonly vcpus: number;
  readonly keep_cache_ram?: number;
  readonly keep_cache_disk?: number;
  readonly gpu?: {
    readonly stack: 'cuda' | 'rocm';
    readonly device_count: number;
    readonly driver_version: string;
    readonly hardware_target: readonly string[];
    readonly vram: number;
  };
}

/** Where and how long it may run (Arvados API 3.2, "Containers", scheduling parameters). */
export interface SchedulingParameters {
  readonly partitions?: readonly string[];
  readonly preemptible?: boolean;
  /** Seconds; 0 or absent: no limit. */
  readonly max_run_time?: number;
  /** Bytes that the output, and the tmp mounts outside it, may hold. Absent: the disk is the limit. Ours, so not on a real cluster. */
  readonly 'hm:max_output'?: number;
  readonly 'hm:max_tmp'?: number;
  /** What it is planned with where that is less than `vcpus`, which are whole: half a core. Ours. */
  readonly 'hm:cores'?: number;
  /** What starts it, in place of the cluster's own choice: `sandbox`, `docker`, `podman`, `apptainer`. */
  readonly 'hm:executor'?: string;
}

/** What both a container request and a container say about the work. */
export interface ContainerWork {
  readonly command: readonly string[];
  /** PDH of an image collection, `arvados/builtin`, or `hallmark/host` (no container: the host itself, embedded cluster only). */
  readonly container_image: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: Mounts;
  readonly output_path: string;
  readonly output_glob: readonly string[];
  readonly runtime_constraints: RuntimeConstraints;
  readonly scheduling_parameters: SchedulingParameters;
}

/** Uncommitted: may still be changed, nothing runs. Final: its container has ended, or none is wanted any more. */
export type ContainerRequestState = 'Uncommitted' | 'Committed' | 'Final';
/** Complete: the command ended, whatever its exit code. Cancelled: it did not, or the infrastructure failed. */
export type ContainerState = 'Queued' | 'Locked' | 'Running' | 'Complete' | 'Cancelled';

/** What a client asks for (Arvados API 3.2, "Container requests"). */
export interface ContainerRequest extends RecordBase, ContainerWork {
  readonly name: string;
  readonly description: string;
  readonly properties: JsonObject;
  readonly state: ContainerRequestState;
  readonly priority: number;
  readonly requesting_container_uuid: Uuid | null;
  readonly container_uuid: Uuid | null;
  readonly container_count: number;
  readonly container_count_max: number;
  readonly use_existing: boolean;
  readonly output_name: string | null;
  readonly output_ttl: number;
  readonly output_properties: JsonObject;
  readonly output_uuid: Uuid | null;
  readonly log_uuid: Uuid | null;
  /** Write-only on the wire: always `{}` when read. */
  readonly secret_mounts: Mounts;
  readonly output_storage_classes?: readonly string[];
  /** True: it is expected to run until it is told to end; with `published_ports`, by port (Arvados 3.2). */
  readonly service?: boolean;
  readonly published_ports?: Readonly<Record<string, PublishedPort>>;
}

/** Property of a request on the embedded cluster: the containers that it had before, oldest first. */
export const earlierContainers = 'hm:earlierContainers';

export function readEarlierContainers(properties: JsonObject): readonly Uuid[] {
  const uuids = properties[earlierContainers];
  return Array.isArray(uuids) ? uuids.map(String).filter(isUuid) : [];
}

/** A port of a service that the cluster forwards (Arvados API 3.2, "Container requests", published ports). */
export interface PublishedPort {
  readonly access: 'public' | 'private';
  readonly initial_path: string;
  readonly label: string;
}

/** What a container says of itself, in words for people, while it runs and when it has ended. */
export interface RuntimeStatus {
  readonly error?: string;
  readonly errorDetail?: string;
  readonly warning?: string;
  readonly warningDetail?: string;
  readonly activity?: string;
  /** Filled by crunch-run: the most that was used. Bytes, seconds. */
  readonly usage?: { readonly peakRamBytes?: number; readonly cpuSeconds?: number; readonly wallSeconds?: number };
  /** True when the kernel or the limit ended it for want of memory; false when a SIGKILL was something else. */
  readonly outOfMemory?: boolean;
  /** False when the same work would fail again the same way: it is not tried again. */
  readonly retryable?: boolean;
  /** Words that came before the command: those of the image's ENTRYPOINT. Absent: none did. */
  readonly entrypoint?: readonly string[];
  /** Of a `hallmark/host` container: the directory that stood for `/hallmark.host`; the command may have written paths of it. */
  readonly hostDirectory?: string;
}

/** What the cluster runs for one or more equal requests (Arvados API 3.2, "Containers"). */
export interface Container extends RecordBase, ContainerWork {
  readonly state: ContainerState;
  readonly priority: number;
  readonly locked_by_uuid: string | null;
  readonly lock_count: number;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly exit_code: number | null;
  /** PDH of the output collection. */
  readonly output: PortableDataHash | null;
  /** PDH of the log collection; while it runs, of what has been saved so far. */
  readonly log: PortableDataHash | null;
  readonly output_properties: JsonObject;
  readonly progress: number | null;
  readonly runtime_status: RuntimeStatus;
}

/** A name for content in Keep; several records may name the same content. */
export interface CollectionRecord extends RecordBase {
  readonly name: string | null;
  readonly description: string | null;
  readonly properties: JsonObject;
  readonly portable_data_hash: PortableDataHash;
  /** Not in a list unless selected. */
  readonly manifest_text: string;
  readonly trash_at: string | null;
  readonly delete_at: string | null;
}

/** Ties `head_uuid` to `tail_uuid`; older clients name images by links of the classes `docker_image_repo+tag` and `docker_image_hash`. */
export interface Link extends RecordBase {
  readonly link_class: string;
  readonly name: string;
  readonly tail_uuid: string | null;
  readonly head_uuid: string | null;
  readonly properties: JsonObject;
}

/** A change of a record, or a line of a running container. */
export interface LogRecord extends RecordBase {
  readonly id: number;
  readonly object_uuid: Uuid | null;
  readonly event_at: string;
  /** `create`, `update`, `stdout`, `stderr`, `crunch-run`, … */
  readonly event_type: string;
  readonly properties: JsonObject;
}

/** `definition`: a packed CWL document. */
export interface WorkflowRecord extends RecordBase {
  readonly name: string;
  readonly description: string;
  readonly definition: string;
}

/** Resource name in URLs → its record. */
export interface Records {
  readonly collections: CollectionRecord;
  readonly container_requests: ContainerRequest;
  readonly containers: Container;
  readonly links: Link;
  readonly logs: LogRecord;
  readonly workflows: WorkflowRecord;
}
export type Resource = keyof Records;

/** In place of a PDH: crunch-run does the work itself (`docker pull`, `docker build`). */
export const builtinImage = 'arvados/builtin';
/** In place of a PDH: no container, the command runs on the host itself. Embedded cluster only. */
export const hostImage = 'hallmark/host';
