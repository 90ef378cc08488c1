import { randomBytes } from 'node:crypto';
import { apiError } from '../api/errors.ts';

/** What every request carries: who asks, and a name for it that stands in the server's logs too. */
export function toHeaders(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'x-request-id': `req-${randomBytes(10).toString('hex')}` };
}

export const tokenRefused = (said: string) =>
  apiError('api/not-authorized', `token refused: ${said}`, {
    hint: 'check ARVADOS_API_TOKEN: it may have expired, or belong to another cluster',
  });
