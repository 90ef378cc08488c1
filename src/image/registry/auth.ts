import { isJsonObject } from '../../core/json.ts';
import { imageError } from '../errors.ts';
import { readBounded } from '../streams.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { toNetworkError, toResponseError } from './errors.ts';
import type { CredentialStore, Credentials, HttpResponse, HttpSend, RegistryEndpoint } from './port.ts';

const maxTokenBytes = 1024 * 1024;
/** distribution token specification: 60 s where the server does not say. */
const defaultLifeSeconds = 60;
const clientId = 'hallmark';

/** Who this client is to a registry: the Authorization header of its requests. */
export interface Authorizer {
  /** The Authorization header to send, where an earlier answer showed one that works. */
  known(endpoint: RegistryEndpoint): string | undefined;
  /** The header that answers a 401, or undefined where nothing better is to be had. */
  answer(endpoint: RegistryEndpoint, refused: HttpResponse, signal?: AbortSignal): Promise<string | undefined>;
}

/** Answers the challenges of the distribution token specification (Bearer) and Basic, and remembers the answers for this client. */
export function createAuthorizer(
  send: HttpSend,
  credentials: CredentialStore,
  nowMs: () => number = Date.now,
): Authorizer {
  const headers = new Map<string, { value: string; expiresMs: number }>();
  const keyOf = ({ registry, repository }: RegistryEndpoint) => `${registry}/${repository}`;
  return {
    known(endpoint) {
      const header = headers.get(keyOf(endpoint));
      return header && header.expiresMs > nowMs() ? header.value : undefined;
    },
    async answer(endpoint, refused, signal) {
      const challenges = parseChallenges(refused.headers['www-authenticate']);
      const found = await credentials.find(endpoint.registry, endpoint.repository);
      const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
      if (bearer) {
        const token = await fetchToken({ send, endpoint, refused, challenge: bearer, credentials: found, signal });
        headers.set(keyOf(endpoint), { value: token.value, expiresMs: nowMs() + token.lifeSeconds * 900 });
        return token.value;
      }
      if (found?.kind !== 'password' || !challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
      const value = toBasic(found);
      headers.set(keyOf(endpoint), { value, expiresMs: Number.POSITIVE_INFINITY });
      return value;
    },
  };
}

interface TokenRequest {
  readonly send: HttpSend;
  readonly endpoint: RegistryEndpoint;
  readonly refused: HttpResponse;
  readonly challenge: Challenge;
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal | undefined;
}

async function fetchToken(request: TokenRequest): Promise<{ value: string; lifeSeconds: number }> {
  const { endpoint, challenge, credentials, signal } = request;
  const realm = toRealm(request);
  const scope = challenge.parameters.scope ?? `repository:${endpoint.repository}:pull`;
  const query = new URLSearchParams({
    ...(challenge.parameters.service && { service: challenge.parameters.service }),
    scope,
  });
  const what = `token for ${endpoint.registry}/${endpoint.repository}`;
  const common = { insecure: endpoint.insecure, ...(signal && { signal }) };
  let response: HttpResponse;
  try {
    if (credentials?.kind === 'identity-token') {
      query.set('grant_type', 'refresh_token');
      query.set('refresh_token', credentials.token);
      query.set('client_id', clientId);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      response = await request.send({ method: 'POST', url: realm, headers, body: query.toString(), ...common });
    } else {
      for (const [name, value] of query) realm.searchParams.append(name, value);
      const headers: Record<string, string> = credentials ? { authorization: toBasic(credentials) } : {};
      response = await request.send({ method: 'GET', url: realm, headers, ...common });
    }
  } catch (error) {
    throw toNetworkError(error, what, realm.host);
  }
  if (response.status !== 200) throw await toResponseError(response, what);
  return parseToken(await readBounded(response.body, maxTokenBytes, () => badToken(what)), what);
}

/** The token server that the registry names gets the credentials, as the specification has it, but never over a weaker connection. */
function toRealm({ endpoint, refused, challenge }: TokenRequest): URL {
  const text = challenge.parameters.realm ?? '';
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = realm?.protocol === 'https:' || (realm?.protocol === 'http:' && refused.url.protocol === 'http:');
  if (realm && isSafe && !realm.username && !realm.password) return realm;
  throw imageError(
    'image/registry-error',
    `${endpoint.registry} names a token server that is not asked: ${JSON.stringify(text.slice(0, 200))}`,
    {
      hint: 'a token server is an https: URL, unless the registry itself is insecure',
    },
  );
}

function parseToken(bytes: Buffer, what: string): { value: string; lifeSeconds: number } {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw badToken(what);
  }
  const token = isJsonObject(json) ? (json.token ?? json.access_token) : undefined;
  const life = isJsonObject(json) ? json.expires_in : undefined;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw badToken(what);
  return { value: `Bearer ${token}`, lifeSeconds: typeof life === 'number' && life > 0 ? life : defaultLifeSeconds };
}

const badToken = (what: string) =>
  imageError('image/registry-error', `${what}: the token server's answer holds no token`, {
    hint: 'is the registry set up right?',
  });

const toBasic = ({ username, password }: Extract<Credentials, { kind: 'password' }>): string =>
  `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
