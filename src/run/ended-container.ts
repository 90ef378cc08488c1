import type { ClusterApi } from '../api/port.ts';
import type { Container } from '../api/records.ts';
import type { AwaitedRequest } from './await-request.ts';

const ending = ['uuid', 'state', 'exit_code', 'output', 'log', 'runtime_status', 'command', 'container_image'] as const;
/** How a container has ended: its environment and mounts are the most of a record. */
export type EndedContainer = Pick<Container, (typeof ending)[number]>;

const answer = { select: ending };

/** That of a final request; undefined where it was never given one. */
export async function readEnded(
  api: ClusterApi,
  { container_uuid: uuid }: AwaitedRequest,
): Promise<EndedContainer | undefined> {
  return uuid === null ? undefined : api.get('containers', uuid, answer);
}
