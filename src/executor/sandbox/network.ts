import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { executorError } from '../errors.ts';

/**
 * Where a network of `ip netns` lies (ip-netns(8)); undefined for this machine's own, which docker calls `host`.
 * Only root may join one.
 */
export function toNetworkPath(name: string | undefined): string | undefined {
  if (name === undefined || name === 'host') return undefined;
  const path = join('/run/netns', name);
  if (name.includes('/') || name.startsWith('.') || !existsSync(path))
    throw executorError('executor/start-failed', `the machine has no network named ${JSON.stringify(name)}`, {
      hint: `make it with ip netns add, or give "host"; networks of docker and podman are known to these only`,
    });
  if (process.getuid?.() !== 0)
    throw executorError('executor/start-failed', `joining the network ${JSON.stringify(name)} takes root`, {
      hint: 'run as root, or choose another executor',
    });
  return path;
}

/** What starts a container in it. */
export function toJoinNetwork(name: string | undefined): string[] {
  const path = toNetworkPath(name);
  return path === undefined ? [] : ['nsenter', `--net=${path}`, '--'];
}
