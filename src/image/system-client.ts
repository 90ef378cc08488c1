import type { Logger } from '../core/logger.ts';
import { createCredentialStore } from './config/credentials.ts';
import { createDirectory } from './config/directory.ts';
import { loadRegistriesConf } from './config/load-registries.ts';
import { createRegistryClient, type RegistryClient } from './registry/client.ts';
import { createHttpSend } from './registry/http.ts';

/** Whose configuration is read. */
export interface SystemClientOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  readonly uid?: number;
  readonly logger?: Logger;
  readonly userAgent?: string;
}

/** A registry client that reads the ecosystem's own files: registries.conf now, logins each time a registry asks for one. */
export async function openSystemRegistryClient(options: SystemClientOptions): Promise<RegistryClient> {
  const directory = createDirectory(await loadRegistriesConf(options));
  return createRegistryClient({
    directory,
    credentials: createCredentialStore(options),
    send: createHttpSend({
      proxyEnv: options.env,
      ...(options.userAgent !== undefined && { userAgent: options.userAgent }),
    }),
    ...(options.logger && { logger: options.logger }),
  });
}
