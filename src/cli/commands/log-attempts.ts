import type { ClusterApi } from '../../api/port.ts';
import { readEarlierContainers } from '../../api/records.ts';
import { isUuid, type Uuid } from '../../core/ids.ts';
import { cliError } from '../errors.ts';

/** How often a piece of work was tried. */
export interface Attempts {
  /** The container that counts. */
  readonly newest: Uuid;
  /** Those before it, oldest first. */
  readonly earlier: readonly Uuid[];
  /** Requests for the same step with other amounts, before or after this one. */
  readonly requests: readonly Uuid[];
}

/** Of a container, that one alone. */
export async function findAttempts(api: ClusterApi, uuid: Uuid): Promise<Attempts> {
  if (uuid.slice(6, 11) !== 'xvhdp') return { newest: uuid, earlier: [], requests: [] };
  const { container_uuid, properties, state } = await api.get('container_requests', uuid);
  if (container_uuid) {
    const others = [properties['hm:retryOf'], properties['arv:failed_container_resubmitted']];
    return {
      newest: container_uuid,
      earlier: readEarlierContainers(properties),
      requests: others.map(String).filter(isUuid),
    };
  }
  if (properties['hm:kind'] === 'run') {
    throw cliError('cli/not-found', `${uuid} is a run: its steps have the logs`, {
      hint: `cwl-runner provenance ${uuid} lists its steps`,
    });
  }
  throw cliError('cli/not-found', `request ${uuid} has no container`, { hint: `its state is ${state}` });
}

/** What to say of the attempts whose log is not `shown`; nothing, where there are none. */
export function describeOthers({ newest, earlier, requests }: Attempts, shown: Uuid): string {
  const lines: string[] = [];
  if (shown !== newest)
    lines.push(
      `attempt ${earlier.length + 1} (container ${newest}) has no log yet; this is the log of the one before it`,
    );
  const others = [...earlier, ...requests].filter((uuid) => uuid !== shown);
  if (others.length > 0) lines.push(`other attempts: ${others.map((uuid) => `cwl-runner logs ${uuid}`).join(', ')}`);
  return lines.map((line) => `${line}\n`).join('');
}
