import type { PublishedPort } from '../../api/records.ts';
import type { MapRequirement } from '../contribution.ts';
import { objectsField } from '../fields.ts';

/** A service: it needs the network, and no earlier container can stand for it. */
export const mapPublishPorts: MapRequirement = (entry) => {
  const ports = objectsField(entry, 'publishPorts').map((port): [string, PublishedPort] => [
    String(port.servicePort),
    {
      access: port.serviceAccess === 'public' ? 'public' : 'private',
      initial_path: String(port.initialPath ?? ''),
      label: String(port.label ?? ''),
    },
  ]);
  return {
    attributes: { published_ports: Object.fromEntries(ports), service: true, use_existing: false },
    runtimeConstraints: { API: true },
  };
};
