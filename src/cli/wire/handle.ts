import type { ClusterApi } from '../../api/port.ts';
import type { Mounts } from '../../api/records.ts';
import type { ReusePreview } from '../../api/reuse.ts';
import type { BuiltinsHere } from '../../arvados/builtins-here/builtins-here.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Clock } from '../../core/clock.ts';
import type { Uuid } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { DiskBlockStore } from '../../keep/disk/disk-store.ts';
import type { LocalBlockStore } from '../../keep/port.ts';

/** The records and blocks of a cluster, and the folders of this machine that belong to it. */
export interface ClusterHandle {
  readonly home: string;
  readonly workDir: string;
  readonly api: ClusterApi & { secretMounts(container: Uuid): Promise<Mounts> };
  readonly blocks: DiskBlockStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The embedded cluster, whose containers this process runs; a real one runs its own. */
  readonly embedded?: Cluster;
  /** Of a real cluster that cannot pull or build: what this machine does for it. */
  readonly builtinsHere?: BuiltinsHere;
  /** Of a real cluster: how a container that may use it reaches it. */
  readonly apiEnvironment?: (container: Uuid) => Promise<Readonly<Record<string, string>>>;
}

/** A cluster to look at only: what is written to its blocks stays here. */
export interface ReadOnlyCluster {
  readonly api: ClusterApi & ReusePreview;
  readonly blocks: LocalBlockStore;
}
