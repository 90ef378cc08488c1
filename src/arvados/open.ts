import type { ClusterApi } from '../api/port.ts';
import type { Mounts } from '../api/records.ts';
import type { ReusePreview } from '../api/reuse.ts';
import type { Uuid } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { BlockStore } from '../keep/port.ts';
import { createCaller } from './caller.ts';
import { type Capabilities, toCapabilities } from './capabilities.ts';
import { readContainerToken, readSecretMounts } from './container-token.ts';
import { createHttpClient } from './http.ts';
import { createHttpKeep } from './keep/http-store.ts';
import { parseServices, toServices } from './keep/services.ts';
import { createSignatures, type Signatures } from './keep/signatures.ts';
import { previewReuse } from './preview-reuse.ts';
import { createRecordClient } from './records.ts';
import { patientDelaysMs } from './retry.ts';
import type { ArvadosSettings } from './settings.ts';

/** A real cluster: its records and its Keep. */
export interface ArvadosCluster extends ClusterApi, ReusePreview {
  readonly capabilities: Capabilities;
  readonly blocks: BlockStore;
  /** Of what was written to `blocks`; manifests get them on their way. */
  readonly signatures: Signatures;
  /** Of a container that this token has locked: its own token, for its environment. */
  containerToken(container: Uuid): Promise<string>;
  /** Secret mounts of a container that this token has locked. */
  secretMounts(container: Uuid): Promise<Mounts>;
  close(): void;
}

export interface OpenOptions {
  readonly logger: Logger;
  /** Before each further attempt at what fails for now; default: about a minute in all. */
  readonly retryDelaysMs?: readonly number[];
  readonly pollMs?: { readonly least: number; readonly most: number };
  /** Project that requests and collections are put into. */
  readonly project?: Uuid;
}

/** Where nobody answers at first, it is rather the setting that is wrong: it is not tried for long. */
const firstRetries = 2;

/** Reads what the cluster can do; Keep's services are asked for with the first block. */
export async function openArvados(settings: ArvadosSettings, options: OpenOptions): Promise<ArvadosCluster> {
  const http = createHttpClient({ insecure: settings.insecure });
  try {
    const { logger } = options;
    const retry = { delaysMs: options.retryDelaysMs ?? patientDelaysMs, logger };
    const caller = createCaller({ settings, http, retry });
    const capabilities = toCapabilities(
      await caller.get('/discovery/v1/apis/arvados/v1/rest', { delaysMs: retry.delaysMs.slice(0, firstRetries) }),
    );
    const signatures = createSignatures();
    const records = createRecordClient({
      sign: signatures.sign,
      caller,
      capabilities,
      retry,
      ...(options.pollMs && { pollMs: options.pollMs }),
      ...(options.project && { project: options.project }),
    });
    const services = async () =>
      settings.keepServices.length > 0
        ? toServices(settings.keepServices)
        : parseServices(await caller.call({ method: 'GET', path: 'keep_services/accessible' }));
    const { token } = settings;
    const containerToken = (container: Uuid) => readContainerToken(caller, container);
    return {
      ...records,
      capabilities,
      signatures,
      blocks: createHttpKeep({ http, token, services, copies: capabilities.defaultReplication, retry, signatures }),
      previewReuse: (attributes) => previewReuse(records, attributes),
      containerToken,
      secretMounts: async (container) => readSecretMounts(caller, container, await containerToken(container)),
      close() {
        records.close();
        http.close();
      },
    };
  } catch (error) {
    http.close();
    throw error;
  }
}
