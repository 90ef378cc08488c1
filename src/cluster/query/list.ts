import { apiError } from '../../api/errors.ts';
import type { ListPage, ListQuery } from '../../api/port.ts';
import type { Records, Resource } from '../../api/records.ts';
import { findAttribute, show } from '../store/attributes.ts';
import { columnsOf, notTrashed, toRecord, toSelectList } from '../store/records.ts';
import { schemas, unlisted } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { toConditions } from './filters.ts';
import { joinSql, type Sql, sql } from './sql.ts';

const defaultLimit = 100;

export function listRecords<R extends Resource>(store: Store, resource: R, query: ListQuery): ListPage<Records[R]> {
  const limit = count('limit', query.limit ?? defaultLimit);
  const offset = count('offset', query.offset ?? 0);
  const columns = columnsOf(resource, query.select ?? listed[resource]);
  const where = visible(store, resource, toConditions(store, resource, query.filters ?? []));
  const order = toOrder(resource, query.order ?? []);
  const statement = `SELECT ${toSelectList(columns)} FROM ${resource} WHERE ${where.text} ORDER BY ${order} LIMIT ? OFFSET ?`;
  const items = store.db.all(statement, ...where.values, limit, offset).map((row) => toRecord<R>(columns, row));
  const isKnown = query.count === 'none' || (items.length < limit && (items.length > 0 || offset === 0));
  return { items, itemsAvailable: isKnown ? offset + items.length : countAll(store, resource, where) };
}

const listed = Object.fromEntries(
  Object.values(schemas).map(({ table, attributes }) => [
    table,
    Object.keys(attributes).filter((name) => !unlisted.has(name)),
  ]),
) as Record<Resource, string[]>;

function visible(store: Store, resource: Resource, where: Sql): Sql {
  return resource === 'collections' ? joinSql([where, sql(notTrashed, store.now())], ' AND ') : where;
}

function countAll(store: Store, resource: Resource, where: Sql): number {
  return Number(store.db.get(`SELECT COUNT(*) AS n FROM ${resource} WHERE ${where.text}`, ...where.values)?.n);
}

/** Newest first unless asked otherwise; equal ones in the order in which they were made. */
function toOrder(resource: Resource, order: readonly string[]): string {
  const keys = order.map((key) => {
    const [, name = '', direction = 'asc'] = /^\s*(?:\w+\.)?(\w+)(?:\s+(asc|desc))?\s*$/i.exec(key) ?? [];
    if (name === '') throw apiError('api/bad-filter', `cannot order by ${show(key)}: expected "attribute [asc|desc]"`);
    return { expression: findAttribute(resource, name).sql, direction: direction.toUpperCase() };
  });
  const first = keys[0];
  if (first === undefined) return 'id DESC';
  // The time of creation and `id` give the same order, and the latter needs no sorting.
  const sorted = keys.map((key) => `${key.expression === 'created_at' ? 'id' : key.expression} ${key.direction}`);
  return [...sorted, `id ${first.direction}`].join(', ');
}

function count(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw apiError('api/bad-filter', `expected ${name} to be an integer of at least 0, got ${show(value)}`);
}
