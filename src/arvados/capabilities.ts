import { apiError } from '../api/errors.ts';
import { builtinImage, hostImage } from '../api/records.ts';
import { isJsonObject } from '../core/json.ts';

/** What a cluster can do, read once from its discovery document; nothing else asks how old it is. */
export interface Capabilities {
  /** Five characters that begin its uuids. */
  readonly clusterId: string;
  /** `20250402`; for people. */
  readonly revision: string;
  readonly maxRequestBytes: number;
  /** Copies of each block. */
  readonly defaultReplication: number;
  readonly websocketUrl?: string;
  /** Pulls and builds run on it (`arvados/builtin`). No Arvados release does that. */
  readonly builtinRequests: boolean;
  /** Tools without an image run on it (`hallmark/host`). */
  readonly hostRequests: boolean;
  /** It heeds scheduling parameters of ours (`hm:…`). */
  readonly ownParameters: boolean;
  /** Attributes of container requests that older clusters lack. */
  readonly outputGlob: boolean;
  readonly outputProperties: boolean;
  readonly outputStorageClasses: boolean;
  readonly services: boolean;
  /** Kinds of GPU, and how they are asked for: `runtime_constraints.gpu`, or `cuda` alone before Arvados 3.1. */
  readonly gpu: 'any' | 'cuda';
}

/** The revision that first had `runtime_constraints.gpu`; no schema shows what is inside (Arvados 3.1, sdk/cwl). */
const gpuRevision = '20250128';

/** Fails with `api/bad-response`. */
export function toCapabilities(document: unknown): Capabilities {
  if (!isJsonObject(document) || !isJsonObject(document.schemas) || typeof document.revision !== 'string') {
    throw apiError('api/bad-response', 'expected the discovery document of an Arvados cluster, got something else', {
      hint: 'check that ARVADOS_API_HOST is the API server, not Workbench',
    });
  }
  const { revision, schemas } = document;
  const request = isJsonObject(schemas.ContainerRequest) ? schemas.ContainerRequest.properties : undefined;
  const has = (attribute: string) => isJsonObject(request) && Object.hasOwn(request, attribute);
  const images = Array.isArray(document.specialContainerImages) ? (document.specialContainerImages as unknown[]) : [];
  return {
    clusterId: String(document.uuidPrefix ?? ''),
    revision,
    maxRequestBytes: toNumber(document.maxRequestSize, 128 * 1024 * 1024),
    defaultReplication: toNumber(document.defaultCollectionReplication, 2),
    ...(typeof document.websocketUrl === 'string' && { websocketUrl: document.websocketUrl }),
    builtinRequests: images.includes(builtinImage),
    hostRequests: images.includes(hostImage),
    ownParameters: images.length > 0,
    outputGlob: has('output_glob'),
    outputProperties: has('output_properties'),
    outputStorageClasses: has('output_storage_classes'),
    services: has('published_ports') && has('service'),
    gpu: revision >= gpuRevision ? 'any' : 'cuda',
  };
}

const toNumber = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && value > 0 ? value : otherwise;
