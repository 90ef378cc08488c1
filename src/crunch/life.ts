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
  /** What has to be done once the record is final, in the order of the calls. It must not fail. */
  afterwards(task: () => Promise<void>): void;
}
