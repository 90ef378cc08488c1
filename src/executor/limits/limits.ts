import type { ContainerUsage } from '../port.ts';

export interface LimitSpec {
  /** Unique on this machine. */
  readonly id: string;
  /** Of all processes together. */
  readonly ramBytes?: number;
  /** Processes and threads at one time. */
  readonly maxProcesses: number;
  /** Share of the machine's cores; no bound when absent. */
  readonly cpus?: number;
  /** Tell the time on the cores, too; whoever knows it from elsewhere spares the group. */
  readonly accountsCpu?: boolean;
}

/** What bounds one container, and measures it. */
export interface Limits {
  /** Takes the first process of the container in; what it starts is in as well. */
  confine(pid: number): void;
  usage(): ContainerUsage;
  /** After the end of all processes: whether memory ran out at some time. */
  ranOutOfMemory(): boolean;
  /** Frees it. After the end of all processes. */
  remove(): Promise<void>;
}

/** Limits around a process that has joined its groups by itself; `confine` is left only where something waits for its id. */
export type JoinedLimits = Omit<Limits, 'confine'> & Partial<Pick<Limits, 'confine'>>;

/** The control groups of one container. They know their folders before these are made. */
export interface Groups extends Omit<Limits, 'confine'> {
  readonly folders: readonly string[];
  /** Writes the limits into the folders, which are there. */
  limit(spec: Omit<LimitSpec, 'id'>): void;
}
