import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../../core/json.ts';
import { imageError } from '../errors.ts';
import { dockerHub } from '../reference.ts';
import type { CredentialStore, Credentials } from '../registry/port.ts';
import { type RunHelper, runCredentialHelper } from './credential-helper.ts';
import type { ConfigEnvironment } from './load-registries.ts';

/** `~/.docker/config.json` and podman's `auth.json`, which share their form: containers-auth.json(5). */
interface AuthFile {
  readonly path: string;
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore: string | undefined;
}

export interface CredentialOptions extends ConfigEnvironment {
  readonly uid?: number;
  readonly runHelper?: RunHelper;
}

/**
 * Credentials from the files that `podman login`, `skopeo login` and `docker login` write: `REGISTRY_AUTH_FILE` alone, or
 * `$XDG_RUNTIME_DIR/containers/auth.json`, `$XDG_CONFIG_HOME/containers/auth.json`, `$DOCKER_CONFIG/config.json`. The files are read
 * anew for each question, so that a login counts at once.
 */
export function createCredentialStore(options: CredentialOptions): CredentialStore {
  const runHelper = options.runHelper ?? runCredentialHelper;
  return {
    async find(registry, repository) {
      for (const path of authFiles(options)) {
        const file = await readAuthFile(path);
        const found = file && (await findIn(file, registry, repository, runHelper));
        if (found) return found;
      }
      return undefined;
    },
  };
}

function authFiles({ env, homeDir, root = '/', uid }: CredentialOptions): string[] {
  if (env.REGISTRY_AUTH_FILE) return [env.REGISTRY_AUTH_FILE];
  const runtime = env.XDG_RUNTIME_DIR || (uid === undefined ? undefined : join(root, `run/user/${uid}`));
  return [
    ...(runtime ? [join(runtime, 'containers/auth.json')] : []),
    ...(uid === 0 ? [join(root, 'run/containers/0/auth.json')] : []),
    join(env.XDG_CONFIG_HOME || join(homeDir, '.config'), 'containers/auth.json'),
    join(env.DOCKER_CONFIG || join(homeDir, '.docker'), 'config.json'),
  ];
}

async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  try {
    const json: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (!isJsonObject(json)) throw new Error('expected a JSON object');
    const { auths, credHelpers, credsStore } = json;
    return {
      path,
      auths: isJsonObject(auths) ? auths : {},
      credHelpers: isJsonObject(credHelpers) ? credHelpers : {},
      credsStore: typeof credsStore === 'string' && credsStore !== '' ? credsStore : undefined,
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // The parser's message quotes the text, which holds secrets.
    const why = error instanceof SyntaxError ? 'no JSON' : (error as Error).message;
    throw imageError('image/bad-credentials', `cannot read the logins in ${path}: ${why}`, {
      where: { file: path },
      hint: 'log in again, or repair the file',
    });
  }
}

async function findIn(
  file: AuthFile,
  registry: string,
  repository: string,
  run: RunHelper,
): Promise<Credentials | undefined> {
  const helper = file.credHelpers[registry];
  if (typeof helper === 'string') return run(helper, toServer(registry));
  if (file.credsStore) {
    const found = await run(file.credsStore, toServer(registry));
    if (found) return found;
  }
  for (const key of authKeys(registry, repository)) {
    const entry = file.auths[key];
    if (isJsonObject(entry)) return toCredentials(entry, key, file.path);
  }
  return undefined;
}

/** What docker calls Docker Hub in its files and to its helpers. */
const hubServer = 'https://index.docker.io/v1/';

const toServer = (registry: string): string => (registry === dockerHub ? hubServer : registry);

/** Longest first: podman keeps logins for a repository or a name space, docker for a registry, in several spellings. */
function authKeys(registry: string, repository: string): string[] {
  const parts = repository.split('/');
  const scopes = parts.map((_, index) => `${registry}/${parts.slice(0, parts.length - index).join('/')}`);
  const hub = registry === dockerHub ? [hubServer, 'index.docker.io', 'registry-1.docker.io'] : [];
  const urls = [`https://${registry}`, `https://${registry}/v1/`, `https://${registry}/v2/`, `http://${registry}`];
  return [...scopes, registry, ...hub, ...urls];
}

function toCredentials(entry: Record<string, unknown>, key: string, path: string): Credentials | undefined {
  const { auth, username, password, identitytoken } = entry;
  if (typeof identitytoken === 'string' && identitytoken !== '')
    return { kind: 'identity-token', token: identitytoken };
  if (typeof username === 'string' && typeof password === 'string' && username !== '')
    return { kind: 'password', username, password };
  if (typeof auth !== 'string' || auth === '') return undefined;
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  if (colon > 0) return { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1) };
  throw imageError('image/bad-credentials', `${path}: the login for ${key} is no user:password in base64`, {
    where: { file: path },
    hint: `log in to ${key} again`,
  });
}
