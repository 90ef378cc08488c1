import { apiError } from '../api/errors.ts';
import type { Filter, ListPage, ListQuery } from '../api/port.ts';
import type { Records, Resource } from '../api/records.ts';
import { isJsonObject } from '../core/json.ts';
import type { Caller } from './caller.ts';
import { toRecord } from './wire.ts';

const newestFirst = ['created_at desc', 'uuid desc'];

/** A cluster may give less than it was asked for; the rest is fetched until the page is as long as the query says. */
export async function listRecords<R extends Resource>(
  caller: Caller,
  resource: R,
  given: ListQuery,
): Promise<ListPage<Records[R]>> {
  const query = { ...given, limit: given.limit ?? 100, order: given.order?.length ? given.order : newestFirst };
  const first = await fetchPage(caller, resource, query);
  const items = [...first.items];
  const offset = query.offset ?? 0;
  const isShort = (): boolean => items.length < Math.min(query.limit, (first.available ?? Infinity) - offset);
  for (let page = first; page.items.length > 0 && isShort() && (first.available !== undefined || page.isLimited); ) {
    page = await fetchPage(caller, resource, afterwards(query, items));
    items.push(...page.items);
  }
  return { items, itemsAvailable: first.available ?? offset + items.length };
}

interface Page<T> {
  readonly items: readonly T[];
  readonly available: number | undefined;
  /** The cluster set a limit of its own, and there are that many. */
  readonly isLimited: boolean;
}

async function fetchPage<R extends Resource>(
  caller: Caller,
  resource: R,
  query: ListQuery & { readonly limit: number },
): Promise<Page<Records[R]>> {
  const { filters, order, limit, offset, select, count } = query;
  const answer = await caller.call({
    method: 'GET',
    path: resource,
    parameters: { filters, order, limit, offset, select, count },
  });
  if (!isJsonObject(answer) || !Array.isArray(answer.items)) {
    throw apiError('api/bad-response', `expected a list of ${resource}, got ${JSON.stringify(answer)?.slice(0, 120)}`);
  }
  const items = (answer.items as unknown[]).map((item) => toRecord(resource, item, select));
  return {
    items,
    available: typeof answer.items_available === 'number' ? answer.items_available : undefined,
    isLimited: typeof answer.limit === 'number' && answer.limit < limit && items.length >= answer.limit,
  };
}

/**
 * What follows `items`: by the key of the order where it is there, so that records which come and go meanwhile neither hide nor repeat
 * others, else by number.
 */
function afterwards(query: ListQuery & { readonly limit: number }, items: readonly object[]): typeof query {
  const rest = { ...query, limit: query.limit - items.length, count: 'none' } as const;
  const [key = '', direction] = (query.order?.[0] ?? '').split(/\s+/);
  const records = items as readonly Readonly<Record<string, unknown>>[];
  const last = records.at(-1)?.[key];
  if ((query.offset ?? 0) > 0 || typeof last !== 'string' || records.some(({ uuid }) => typeof uuid !== 'string')) {
    return { ...rest, offset: (query.offset ?? 0) + items.length };
  }
  const ties = records.filter((record) => record[key] === last).map(({ uuid }) => uuid);
  const beyond: Filter[] = [
    [key, direction === 'desc' ? '<=' : '>=', last],
    ['uuid', 'not in', ties],
  ];
  return { ...rest, filters: [...(query.filters ?? []), ...beyond] };
}
