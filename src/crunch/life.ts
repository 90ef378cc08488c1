import type { Container, Mounts } from '../api/records.ts';
import type { ContainerLogs } from './logs/container-logs.ts';
import type { CrunchDeps } from './port.ts';

/** What the parts of the life of one container share. */
export interface Life {
  readonly container: Container;
  readonly secretMounts: Mounts;
  readonly logs: ContainerLogs;
  readonly deps: CrunchDeps;
  readonly signal: AbortSignal;
  /** What has to be done, but need not be waited for before the record is final. It must not fail. */
  afterwards(task: () => Promise<void>): void;
}
