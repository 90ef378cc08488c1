import { apiError } from '../../api/errors.ts';
import type { Records, Resource } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import { type Attributes, decode, encode, findAttribute } from './attributes.ts';
import type { Row, SqlValue } from './database.ts';
import { type Attribute, schemas } from './schema.ts';
import type { Store } from './store.ts';

type Named = readonly (readonly [string, Attribute])[];

const readable = Object.fromEntries(
  Object.values(schemas).map((schema) => [schema.table, Object.entries(schema.attributes)]),
) as unknown as Record<Resource, Named>;

export function columnsOf(resource: Resource, select?: readonly string[]): Named {
  return select === undefined
    ? readable[resource]
    : select.map((name) => [name, findAttribute(resource, name)] as const);
}

/** The list of expressions after SELECT. */
export function toSelectList(columns: Named): string {
  return columns.map(([name, attribute]) => (attribute.sql === name ? name : `${attribute.sql} AS ${name}`)).join(', ');
}

const allNames = Object.fromEntries(
  Object.entries(readable).map(([resource, columns]) => [resource, columns.map(([name]) => name)]),
) as unknown as Record<Resource, readonly string[]>;

export function toRecord<R extends Resource>(columns: Named, row: Row): Records[R] {
  const record: Record<string, unknown> = {};
  for (const [name, attribute] of columns) record[name] = decode(attribute, row[name]);
  return record as unknown as Records[R];
}

/** The record, trashed collections left out; with `select` no more of it than that. */
export function findRecord<R extends Resource>(
  store: Store,
  resource: R,
  uuid: string,
  select: readonly string[] = allNames[resource],
): Records[R] | undefined {
  const { columns, sql } = selectionOf(resource, select);
  const row =
    resource === 'collections' ? store.db.get(`${sql} AND ${notTrashed}`, uuid, store.now()) : store.db.get(sql, uuid);
  return row && toRecord<R>(columns, row);
}

export function readRecord<R extends Resource>(
  store: Store,
  resource: R,
  uuid: string,
  select?: readonly string[],
): Records[R] {
  const record = findRecord(store, resource, uuid, select);
  if (record) return record;
  throw apiError('api/not-found', `${resource} has no record ${JSON.stringify(uuid)}`, {
    hint:
      resource === 'collections'
        ? 'it may have been trashed, or belong to another cluster'
        : 'cwl-runner runs lists the runs of this cluster; HALLMARK_HOME names its home',
  });
}

interface Selection {
  readonly columns: Named;
  readonly sql: string;
}

/** By the array itself: the rules name the same attributes of every record. */
const selections = Object.fromEntries(
  Object.keys(readable).map((resource) => [resource, new WeakMap<readonly string[], Selection>()]),
) as Record<Resource, WeakMap<readonly string[], Selection>>;

function selectionOf(resource: Resource, names: readonly string[]): Selection {
  const known = selections[resource].get(names);
  if (known) return known;
  const columns = columnsOf(resource, names);
  const selection = { columns, sql: `SELECT ${toSelectList(columns)} FROM ${resource} WHERE uuid = ?` };
  selections[resource].set(names, selection);
  return selection;
}

/** Some attributes of a record, trashed or not: for rules that need few of a large record. */
export function readSome<R extends Resource, K extends keyof Records[R] & string>(
  store: Store,
  resource: R,
  uuid: string,
  names: readonly K[],
): Pick<Records[R], K> {
  const { columns, sql } = selectionOf(resource, names);
  const row = store.db.get(sql, uuid);
  return row ? toRecord<R>(columns, row) : readRecord(store, resource, uuid);
}

/** The record even if it is in the trash, what has just been changed; with `select` no more of it than that. */
export function readStored<R extends Resource>(
  store: Store,
  resource: R,
  uuid: string,
  select?: readonly string[],
): Records[R] {
  const names = select ?? allNames[resource];
  return readSome(store, resource, uuid, names as (keyof Records[R] & string)[]) as Records[R];
}

/** Takes the time now as its parameter. */
export const notTrashed = '(trash_at IS NULL OR trash_at > ?)';

/** Columns beside the attributes, which no client sees. */
export type HiddenColumns = Readonly<Record<string, SqlValue>>;

/** Inserts with defaults for what `attributes` leaves out; the record as it is then. Inside `store.write`. */
export function insertRecord<R extends Resource>(
  store: Store,
  resource: R,
  attributes: Attributes,
  hidden: HiddenColumns = {},
): Records[R] {
  const now = store.now();
  const uuid = store.newUuid(schemas[resource].infix);
  const made: Attributes = { uuid, created_at: now, modified_at: now };
  const record: Record<string, unknown> = {};
  const values: SqlValue[] = [];
  for (const [name, attribute] of readable[resource]) {
    const value = made[name] ?? attributes[name] ?? (name === 'owner_uuid' ? store.ownerUuid : attribute.initial);
    record[name] = attribute.writeOnly ? {} : (value ?? null);
    if (isColumn([name, attribute])) values.push(encode(attribute, value));
  }
  store.db.run(insertion(resource, Object.keys(hidden).join(', ')), ...values, ...Object.values(hidden));
  store.changed(resource, uuid);
  return record as unknown as Records[R];
}

/** `id` is given by the table. */
const isColumn = ([name, attribute]: Named[number]) => attribute.sql === name && name !== 'id';

const insertions = new Map<string, string>();

function insertion(resource: Resource, hidden: string): string {
  const key = `${resource} ${hidden}`;
  const known = insertions.get(key);
  if (known) return known;
  const names = readable[resource].filter(isColumn).map(([name]) => name);
  if (hidden !== '') names.push(...hidden.split(', '));
  const sql = `INSERT INTO ${resource} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
  insertions.set(key, sql);
  return sql;
}

/** Writes the named attributes and hidden columns of one record. Inside `store.write`. */
export function updateRecord(
  store: Store,
  resource: Resource,
  uuid: string,
  attributes: Attributes,
  hidden: HiddenColumns = {},
): void {
  const names: string[] = ['modified_at'];
  const values: SqlValue[] = [store.now()];
  for (const [name, value] of Object.entries(attributes)) {
    const attribute = findAttribute(resource, name);
    if (attribute.sql !== name) continue;
    names.push(name);
    values.push(encode(attribute, value));
  }
  for (const [name, value] of Object.entries(hidden)) {
    names.push(name);
    values.push(value);
  }
  const assignments = names.map((name) => `${name} = ?`).join(', ');
  store.db.run(`UPDATE ${resource} SET ${assignments} WHERE uuid = ?`, ...values, uuid);
  store.changed(resource, uuid as Uuid, Object.keys(attributes));
}
