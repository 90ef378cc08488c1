import type { ContainerRequest } from '../../api/records.ts';
import type { PortableDataHash, Uuid } from '../../core/ids.ts';
import { awaitOrCancel } from '../await-request.ts';
import { readEnded } from '../ended-container.ts';
import { runError } from '../errors.ts';
import { watchActivity } from './activity.ts';
import { describeFailure } from './failure.ts';
import type { ImageServices, ResolvedImage } from './port.ts';

export interface ImageRequest {
  /** The name that people know the image by. */
  readonly name: string;
  /** For messages: `pull debian:12`. */
  readonly what: string;
  readonly status: 'pulling' | 'building';
  readonly attributes: Partial<ContainerRequest>;
}

/** Submits a pull or build request and waits for its image. Fails with `run/image-request-failed` or `run/cancelled`. */
export async function requestImage(
  services: ImageServices,
  { name, what, status, attributes }: ImageRequest,
  signal?: AbortSignal,
): Promise<ResolvedImage> {
  const submitted = await services.api.create('container_requests', attributes);
  const { uuid: request } = submitted;
  // At once final: an equal request had been done before.
  const isReused = submitted.state === 'Final';
  if (!isReused) services.emit({ type: 'image', reference: name, status, request });
  const endWatch = watchActivity(services.api, submitted, (detail) =>
    services.emit({ type: 'image', reference: name, status, request, detail }),
  );
  try {
    const portableDataHash = await awaitImage(services, request, what, signal);
    const detail = status === 'building' ? 'built before' : 'pulled before';
    services.emit({ type: 'image', reference: name, status: 'ready', request, ...(isReused && { detail }) });
    return { portableDataHash, reference: name, request };
  } catch (error) {
    services.emit({ type: 'image', reference: name, status: 'failed', request });
    throw error;
  } finally {
    endWatch();
  }
}

async function awaitImage(
  services: ImageServices,
  uuid: Uuid,
  what: string,
  signal?: AbortSignal,
): Promise<PortableDataHash> {
  const request = await awaitOrCancel(services, { uuid, what }, signal);
  const container = await readEnded(services.api, request);
  if (container?.state === 'Complete' && container.exit_code === 0 && container.output) return container.output;
  const { message, ...hint } = await describeFailure(services, what, request, container);
  throw runError('run/image-request-failed', message, { where: { container: container?.uuid ?? uuid }, ...hint });
}
