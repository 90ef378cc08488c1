import { hash } from 'node:crypto';
import { apiError } from '../../api/errors.ts';
import { isJsonObject } from '../../core/json.ts';

/** A server of blocks (Arvados API, "keep_services"). */
export interface KeepService {
  readonly uuid: string;
  /** `https://HOST:PORT`, no slash at the end. */
  readonly root: string;
  readonly readOnly: boolean;
  /** It takes a block once and stores all its copies; a disk stores one. */
  readonly isProxy: boolean;
}

/** From the answer to `keep_services/accessible`. Fails with `api/bad-response`. */
export function parseServices(answer: unknown): KeepService[] {
  const items = isJsonObject(answer) && Array.isArray(answer.items) ? (answer.items as unknown[]) : undefined;
  if (!items) throw apiError('api/bad-response', 'expected a list of keep services, got something else');
  return items.map(parseService);
}

function parseService(item: unknown): KeepService {
  if (isJsonObject(item) && typeof item.service_host === 'string' && typeof item.service_port === 'number') {
    const { uuid, service_host: host, service_port: port, service_ssl_flag: ssl, service_type: type, read_only } = item;
    const root = `${ssl ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
    return { uuid: String(uuid), root, readOnly: read_only === true, isProxy: type !== 'disk' };
  }
  throw apiError('api/bad-response', `expected a keep service with a host and a port, got ${JSON.stringify(item)}`);
}

/** Those of `ARVADOS_KEEP_SERVICES`, named as Arvados' clients name them. */
export const toServices = (roots: readonly string[]): KeepService[] =>
  roots.map((root, index) => ({
    uuid: `00000-bi6l4-${String(index).padStart(15, '0')}`,
    root: root.replace(/\/+$/, ''),
    readOnly: false,
    isProxy: true,
  }));

/**
 * The order in which a block is looked for: every client computes the same one, and a service more or less moves few blocks
 * (rendezvous hashing; Arvados, "Keep clients", sdk/go/keepclient `root_sorter`).
 */
export function sortServices(services: readonly KeepService[], md5: string): KeepService[] {
  const weigh = ({ uuid }: KeepService) => hash('md5', `${md5}${uuid.length === 27 ? uuid.slice(12) : uuid}`, 'hex');
  return services
    .map((service) => ({ service, weight: weigh(service) }))
    .sort((a, b) => (a.weight < b.weight ? 1 : -1))
    .map(({ service }) => service);
}
