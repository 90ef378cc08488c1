import { apiError } from '../api/errors.ts';
import type { Mounts } from '../api/records.ts';
import type { Uuid } from '../core/ids.ts';
import { isJsonObject } from '../core/json.ts';
import type { Caller } from './caller.ts';

/** The token that a locked container has for itself (Arvados API, containers, "auth"). */
export async function readContainerToken(caller: Caller, container: Uuid): Promise<string> {
  const answer = await caller.call({ method: 'GET', path: `containers/${container}/auth` });
  if (isJsonObject(answer) && typeof answer.uuid === 'string' && typeof answer.api_token === 'string') {
    return `v2/${answer.uuid}/${answer.api_token}`;
  }
  throw apiError('api/bad-response', `expected the token of container ${container}, got something else`);
}

/** Given out to the container itself, nobody else (Arvados API, containers, "secret_mounts"). */
export async function readSecretMounts(caller: Caller, container: Uuid, token: string): Promise<Mounts> {
  const answer = await caller.call({ method: 'GET', path: `containers/${container}/secret_mounts`, token });
  if (isJsonObject(answer) && isJsonObject(answer.secret_mounts)) return answer.secret_mounts as Mounts;
  throw apiError('api/bad-response', `expected the secret mounts of container ${container}, got something else`);
}
