import { randomBytes } from 'node:crypto';
import type { ApiErrorCode } from '../../api/errors.ts';
import type { ListPage, ListQuery } from '../../api/port.ts';
import type { Records, Resource } from '../../api/records.ts';
import { isHallmarkError, toMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { toKind } from '../query/filters.ts';

/** A record with what Arvados adds to every one; only the selected attributes where some are. */
export function toWire(resource: Resource, record: object, select?: readonly string[]): object {
  const entries = Object.entries(record).filter(([name]) => select === undefined || select.includes(name));
  return { kind: toKind(resource), etag: '', ...Object.fromEntries(entries) };
}

export function toListResponse<R extends Resource>(
  resource: R,
  query: ListQuery,
  page: ListPage<Records[R]>,
  isCounted: boolean,
): object {
  return {
    kind: `${toKind(resource)}List`,
    etag: '',
    offset: query.offset ?? 0,
    limit: query.limit ?? 100,
    items: page.items.map((record) => toWire(resource, record)),
    ...(isCounted ? { items_available: page.itemsAvailable } : {}),
  };
}

const statuses: Readonly<Record<ApiErrorCode, number>> = {
  'api/not-found': 404,
  'api/bad-attribute': 422,
  'api/bad-filter': 422,
  'api/forbidden-change': 422,
  'api/not-authorized': 401,
  'api/unavailable': 503,
  'api/unsupported': 422,
  'api/store-damaged': 500,
  'api/bad-response': 502,
};

/** `{"errors": […], "error_token": …}`: what Arvados' clients print. The token stands in the log beside the error. */
export function toErrorResponse(error: unknown, logger: Logger): { status: number; body: object } {
  const token = `req-${randomBytes(10).toString('hex')}`;
  const status = isHallmarkError(error) ? (statuses[error.code as ApiErrorCode] ?? 500) : 500;
  if (status >= 500) logger.error(`${token}: ${toMessage(error)}`);
  const isOurs = isHallmarkError(error);
  const message = isOurs ? error.message : 'the cluster failed inside: its log says how';
  return { status, body: { errors: [message], error_token: token, ...(isOurs ? { code: error.code } : {}) } };
}
