import type { MountPhase } from './mounts.ts';

/** Docker's default capabilities, as linux/capability.h numbers them. They count inside the user namespace only. */
export const keptCapabilities = {
  chown: 0,
  dac_override: 1,
  fowner: 3,
  fsetid: 4,
  kill: 5,
  setgid: 6,
  setuid: 7,
  setpcap: 8,
  net_bind_service: 10,
  net_raw: 13,
  sys_chroot: 18,
  mknod: 27,
  audit_write: 29,
  setfcap: 31,
} as const;

/** What the first process of a container is to do, in whichever language it is written. */
export interface InitOptions {
  readonly phases: readonly MountPhase[];
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDir: string;
  /** False for builds: `sudo` and the like work in them. */
  readonly noNewPrivileges: boolean;
  /** Where no control group holds them: setrlimit(2), RLIMIT_NPROC. */
  readonly maxProcesses?: number;
  /** Root when absent. */
  readonly user?: RunUser;
  /** Whether there is anything to read on its standard input. */
  readonly hasStdin?: boolean;
  /** Files of the scratch folder to give to ids of the namespace before anything is mounted. */
  readonly owners?: readonly FileOwner[];
}

export interface FileOwner {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
}

export interface RunUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}
