import { isAbort, toMessage } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { imageError } from '../errors.ts';
import { redact } from '../redact.ts';
import type { HttpResponse } from './port.ts';

const maxErrorBytes = 16 * 1024;

/** The error that an answer other than success stands for. Reads, at most, the start of its body. */
export async function toResponseError(response: HttpResponse, what: string) {
  const said = await readReason(response);
  const at = `${what}: ${response.url.host} answered ${response.status}${said ? ` (${said})` : ''}`;
  switch (response.status) {
    case 401:
      return imageError('image/unauthorized', at, {
        hint: 'check the name, or log in: docker login, podman login, or skopeo login writes the file that is read',
      });
    case 403:
      return imageError('image/forbidden', at, {
        hint: 'the account that is logged in may not read it: ask for access, or log in as another',
      });
    case 404:
      return imageError('image/not-found', at, {
        hint: 'check the spelling of repository and tag; the tag may have been deleted',
      });
    case 429:
      return imageError('image/rate-limited', at, {
        hint: 'wait, or log in for a higher limit, or configure a mirror in registries.conf',
        retryable: true,
      });
  }
  if (response.status >= 500) {
    return imageError('image/registry-unavailable', at, {
      hint: 'the registry has a fault: try again later, or use a mirror',
      retryable: true,
    });
  }
  return imageError('image/registry-error', at, { hint: 'is that host a registry?' });
}

/** The error that no answer at all stands for. Aborts pass through. */
export function toNetworkError(error: unknown, what: string, host: string): unknown {
  if (isAbort(error)) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const why = redact(toMessage(error)).split('\n')[0] || code;
  const isTls = /CERT|SSL|TLS|SELF_SIGNED|EPROTO/.test(`${code} ${why}`);
  const hint = isTls
    ? 'if the registry has no valid certificate, say "insecure = true" for it in registries.conf'
    : code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? 'no such host: check its name and the network'
      : 'check that the registry runs and that this machine reaches it';
  const isThere = code === undefined || !nobodyThere.includes(code);
  return imageError(
    isThere ? 'image/registry-unavailable' : 'image/registry-unreachable',
    `${what}: no answer from ${host}: ${why}`,
    { cause: error, hint, retryable: isThere && !isTls },
  );
}

/** No connection at all: waiting does not help as it does with a registry that is busy. */
const nobodyThere = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

/** `code: message` of the distribution-spec's error JSON, or nothing. */
async function readReason({ body }: HttpResponse): Promise<string> {
  let text = '';
  try {
    for await (const chunk of body) {
      text += Buffer.from(chunk as Uint8Array).toString('utf8');
      if (text.length > maxErrorBytes) break;
    }
    const json: unknown = JSON.parse(text);
    const first: unknown = isJsonObject(json) && Array.isArray(json.errors) ? json.errors[0] : undefined;
    if (!isJsonObject(first)) return '';
    const parts = [first.code, first.message].filter((part) => typeof part === 'string' && part !== '');
    return redact(parts.join(': '))
      .replace(/\p{Cc}+/gu, ' ')
      .slice(0, 300);
  } catch {
    return '';
  } finally {
    body.destroy();
  }
}
