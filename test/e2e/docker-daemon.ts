import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mountsBelow, processesWith } from './leftovers.ts';

/** A docker daemon of a test's own, which may be killed. */
export interface DockerDaemon {
  /** `DOCKER_HOST`, and a PATH where the client of this machine's daemon comes first. */
  readonly environment: Readonly<Record<string, string>>;
  start(): Promise<void>;
  /** SIGKILL to the daemon, to its containerd, or to both, the daemon first. */
  kill(which: 'dockerd' | 'containerd' | 'both'): Promise<void>;
  /** Ends everything and removes it. */
  close(): Promise<void>;
}

/** Why no daemon can be started here. */
export const noDaemon: string | undefined =
  process.getuid?.() !== 0
    ? 'only root starts a docker daemon'
    : existsSync('/usr/sbin/dockerd')
      ? undefined
      : 'dockerd is not installed';

export function createDockerDaemon(): DockerDaemon {
  const folder = mkdtempSync(join(tmpdir(), 'hallmark-dockerd-'));
  const host = `unix://${join(folder, 'socket')}`;
  const path = `/usr/bin:${process.env.PATH ?? '/bin'}`;
  let daemon: ChildProcess | undefined;
  const end = async (): Promise<void> => {
    daemon?.kill('SIGKILL');
    if (daemon?.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
  };
  const endContainerd = (): void => killFrom(join(folder, 'exec/containerd/containerd.pid'));
  return {
    environment: { DOCKER_HOST: host, PATH: path },
    async start() {
      // Where nobody reaps them, those that were killed look as if they ran.
      for (const name of ['pid', 'exec/containerd/containerd.pid']) rmSync(join(folder, name), { force: true });
      daemon = spawn('/usr/sbin/dockerd', toArgs(folder, host), { stdio: 'ignore' });
      await untilAnswering(host);
    },
    async kill(which) {
      if (which !== 'containerd') await end();
      if (which !== 'dockerd') endContainerd();
    },
    async close() {
      await end();
      endContainerd();
      for (const line of processesWith(folder)) killProcess(Number.parseInt(line, 10));
      for (const mount of mountsBelow(folder)) spawnSync('umount', ['--lazy', mount.split(' ')[4] ?? '']);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const toArgs = (folder: string, host: string): string[] => [
  ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
  ...['--host', host, '--bridge', 'none', '--iptables=false'],
];

async function untilAnswering(host: string): Promise<void> {
  for (let tries = 0; tries < 120; tries += 1) {
    if (spawnSync('/usr/bin/docker', ['--host', host, 'version'], { stdio: 'ignore' }).status === 0) return;
    await sleep(250);
  }
  execFileSync('/usr/bin/docker', ['--host', host, 'version']);
}

function killFrom(pidFile: string): void {
  if (existsSync(pidFile)) killProcess(Number(readFileSync(pidFile, 'utf8')));
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
