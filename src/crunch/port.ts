import type { ClusterApi } from '../api/port.ts';
import type { Container, Mounts } from '../api/records.ts';
import type { Clock } from '../core/clock.ts';
import type { PortableDataHash, Uuid } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import type { Logger } from '../core/logger.ts';
import type { ContainerSettings, Executor, ExecutorName, LoadableImage } from '../executor/port.ts';
import type { Collection } from '../keep/collection.ts';
import type { LocalBlockStore } from '../keep/port.ts';

/** Collections by name of their content. Concurrent callers share one look-up. */
export interface CollectionReader {
  /** Fails with `crunch/collection-missing`. */
  byPortableDataHash(hash: PortableDataHash): Promise<Collection>;
  /** The content that the record has now. */
  byUuid(uuid: Uuid): Promise<Collection>;
}

/** Read-only directory trees of collections, shared by everything that mounts them. A crash leaves a tree whole or absent. */
export interface TreeCache {
  /** Path of the directory that holds the content of the collection, or of `path` inside it. Nobody writes to it. */
  checkout(collection: Collection, path: string, signal?: AbortSignal): Promise<string>;
  /** Looks whether somebody did, since then. What was changed is not used again, and its paths are returned. */
  setChangesAside(collection: Collection, path: string, sinceMs: number): Promise<readonly string[]>;
}

/** Opens image collections (design 4.1). Fails with `crunch/bad-image`. */
export interface ImageOpener {
  open(hash: PortableDataHash, signal?: AbortSignal): Promise<LoadableImage>;
}

/** What a builtin command tells while it runs. */
export interface BuiltinReport {
  /** One line of the log. */
  line(text: string): void;
  /** The short text of `runtime_status.activity`. */
  activity(text: string): void;
  /** What the command says itself, into `stdout.txt` and `stderr.txt`. */
  output(stream: 'stdout' | 'stderr', chunk: Uint8Array | string): void;
}

export interface BuiltinTask {
  readonly container: Container;
  readonly secretMounts: Mounts;
  /** Exists, empty, removed by the caller. */
  readonly scratchDir: string;
  readonly report: BuiltinReport;
}

/** Exit code 0 comes with an output; another exit code is a failure of the command, not of the infrastructure. */
export interface BuiltinResult {
  readonly exitCode: number;
  /** For `runtime_status.error`: what failed, in one line. */
  readonly error?: string;
  /** What to do about it. */
  readonly hint?: string;
  readonly output?: { readonly collection: Collection; readonly properties: JsonObject };
}

/** One builtin command: design 4.2 or 4.3. */
export type BuiltinCommand = (task: BuiltinTask, signal: AbortSignal) => Promise<BuiltinResult>;

/** The commands of `arvados/builtin`, by the second word: `docker pull`, `docker build`. */
export interface Builtins {
  readonly pull: BuiltinCommand;
  readonly build: BuiltinCommand;
}

/** Everything that the life of a container touches. */
export interface CrunchDeps {
  readonly api: ClusterApi;
  readonly blocks: LocalBlockStore;
  readonly collections: CollectionReader;
  readonly trees: TreeCache;
  readonly images: ImageOpener;
  readonly executors: (name: ExecutorName) => Executor | Promise<Executor>;
  /** Runs containers with an image; `hallmark/host` always goes to `host`. */
  readonly defaultExecutor: ExecutorName;
  /** For all containers of the executor. */
  readonly settings?: ContainerSettings;
  readonly builtins: Builtins;
  /** Secret mounts are write-only on the wire: only the cluster that runs the container gives them out. */
  readonly secretMounts: (uuid: Uuid) => Promise<Mounts>;
  /** How a container with `runtime_constraints.API` reaches the cluster: `ARVADOS_API_HOST` and its token. Never logged. */
  readonly apiEnvironment?: (uuid: Uuid) => Promise<Readonly<Record<string, string>>>;
  /** Of this machine alone, on the file system of `blocks` where files are to move without a copy. */
  readonly workDir: string;
  /** A directory in memory for the files of secret mounts; default: the scratch directory of the container. */
  readonly secretDir?: string;
  /** Keeps what containers leave behind in `workDir`/left, for somebody to look at. */
  readonly leaveScratch?: boolean;
  /** `PATH` of host containers; `HOME` and the rest come from the record. */
  readonly hostPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The container's processes have ended: its cores and memory are free, while its output and log are still to be saved. */
  readonly onEnded?: () => void;
  /** When the container's processes may start: until then it is only made ready. Default: at once. */
  readonly turn?: Promise<void>;
  /** Between two lines of crunchstat.txt; default 10 000. */
  readonly sampleIntervalMs?: number;
}
