import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { executorError } from '../errors.ts';

/**
 * What starts a container in a network of `ip netns` (ip-netns(8)); nothing for this machine's own, which docker calls `host`.
 * Only root may join one.
 */
export function toJoinNetwork(name: string | undefined): string[] {
  if (name === undefined || name === 'host') return [];
  const path = join('/run/netns', name);
  if (name.includes('/') || name.startsWith('.') || !existsSync(path))
    throw executorError('executor/start-failed', `the machine has no network named ${JSON.stringify(name)}`, {
      hint: `make it with ip netns add, or give "host"; networks of docker and podman are known to these only`,
    });
  if (process.getuid?.() !== 0)
    throw executorError('executor/start-failed', `joining the network ${JSON.stringify(name)} takes root`, {
      hint: 'run as root, or choose another executor',
    });
  return ['nsenter', `--net=${path}`, '--'];
}
