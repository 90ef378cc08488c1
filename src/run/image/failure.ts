import type { ClusterApi } from '../../api/port.ts';
import type { Container, ContainerRequest } from '../../api/records.ts';
import type { BlockStore } from '../../keep/port.ts';
import { lastLines } from '../log-tail.ts';

/** One line for what happened and, where the log has any, the last lines that the command wrote. */
export async function describeFailure(
  services: { readonly api: ClusterApi; readonly blocks: BlockStore },
  what: string,
  request: ContainerRequest,
  container: Container | undefined,
): Promise<string> {
  const tail = container?.log ? await lastLines(services, container.log, 'stderr.txt', 15) : [];
  return [`${what} failed: ${reasonOf(request, container)}`, ...tail.map((line) => `  | ${line}`)].join('\n');
}

/** `exit code 1`, `exit code 137 (out of memory …)`, or what the infrastructure said. */
export function reasonOf(request: ContainerRequest, container: Container | undefined): string {
  if (!container) return request.priority === 0 ? 'cancelled' : `request ${request.uuid} got no container`;
  const status = container.runtime_status;
  if (container.state === 'Cancelled') return status.error ?? 'cancelled';
  const detail = status.error ? ` (${status.error})` : status.outOfMemory ? ' (out of memory)' : '';
  return `exit code ${container.exit_code}${detail}`;
}
