import type { Filter } from '../../api/port.ts';
import type { Resource } from '../../api/records.ts';
import { findAttribute, show } from '../store/attributes.ts';
import { type Attribute, schemas } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { badFilter } from './bad-filter.ts';
import { compareAttribute } from './compare.ts';
import { imageCondition } from './image-filter.ts';
import { blockCondition } from './manifest-filter.ts';
import { propertyCondition } from './properties.ts';
import { joinSql, type Sql, sql } from './sql.ts';

/**
 * The WHERE clause of filters (Arvados API, "Available list method filters"). Fails with `api/bad-filter`.
 * Exclusions (`!=`, `not in`) keep the records that have no value at all, as Arvados' do.
 */
export function toConditions(store: Store, resource: Resource, filters: readonly Filter[]): Sql {
  if (filters.length === 0) return sql('1');
  return joinSql(
    filters.map((filter) => toCondition(store, resource, checkShape(filter))),
    ' AND ',
  );
}

function checkShape(filter: unknown): Filter {
  if (Array.isArray(filter) && filter.length === 3 && typeof filter[0] === 'string' && typeof filter[1] === 'string') {
    return filter as unknown as Filter;
  }
  throw badFilter(filter, 'expected [attribute, operator, operand]');
}

function toCondition(store: Store, resource: Resource, filter: Filter): Sql {
  const [name, operator, operand] = filter;
  if (name === 'any') return anyCondition(resource, filter);
  const dot = name.indexOf('.');
  if (dot >= 0) return dottedCondition(store, resource, filter, name.slice(0, dot), name.slice(dot + 1));
  const attribute = readableAttribute(resource, name);
  if (operator === 'in docker' || operator === 'not in docker') return imageCondition(store, name, filter);
  if (operator === 'is_a') return kindCondition(attribute, filter);
  if (operator === 'exists' && attribute.kind === 'hash') {
    if (typeof operand !== 'string') throw badFilter(filter, 'expected the name of a property');
    return propertyCondition(attribute, operand, [name, 'exists', true]);
  }
  if (name === 'manifest_text') {
    const blocks = blockCondition(filter);
    if (blocks) return blocks;
  }
  return compareAttribute(attribute, filter);
}

function readableAttribute(resource: Resource, name: string): Attribute {
  const attribute = findAttribute(resource, name);
  if (!attribute.writeOnly) return attribute;
  throw badFilter(name, `${name} cannot be read`);
}

/** `properties.x` of a hash, or `container.x` of the container that a request has. */
function dottedCondition(store: Store, resource: Resource, filter: Filter, head: string, rest: string): Sql {
  if (resource === 'container_requests' && head === 'container') {
    const inner = toCondition(store, 'containers', [rest, filter[1], filter[2]]);
    return sql(`container_uuid IN (SELECT uuid FROM containers WHERE ${inner.text})`, ...inner.values);
  }
  const attribute = readableAttribute(resource, head);
  if (attribute.kind !== 'hash') throw badFilter(filter, `${head} has no properties`);
  const key = rest.startsWith('<') && rest.endsWith('>') ? rest.slice(1, -1) : rest;
  return propertyCondition(attribute, key, filter);
}

/** Some attribute that is text, or holds text, is like the operand. */
function anyCondition(resource: Resource, filter: Filter): Sql {
  const [, operator, operand] = filter;
  if ((operator !== 'like' && operator !== 'ilike') || typeof operand !== 'string') {
    throw badFilter(filter, 'expected ["any", "like" or "ilike", "%text%"]');
  }
  const searched = Object.entries(schemas[resource].attributes).filter(
    ([name, { kind, writeOnly }]) =>
      !writeOnly && name !== 'manifest_text' && ['string', 'array', 'hash'].includes(kind),
  );
  const conditions = searched.map(([name, attribute]) =>
    compareAttribute({ ...attribute, kind: 'string' }, [name, operator, operand]),
  );
  const either = joinSql(conditions, ' OR ');
  return sql(`(${either.text})`, ...either.values);
}

/** `["head_uuid", "is_a", "arvados#collection"]`. */
function kindCondition(attribute: Attribute, filter: Filter): Sql {
  const wanted = [filter[2]].flat();
  const infixes = wanted.map((kind) => {
    const schema = Object.values(schemas).find(({ table }) => toKind(table) === kind);
    if (schema) return schema.infix;
    throw badFilter(filter, `no objects are of the kind ${show(kind)}`);
  });
  const conditions = infixes.map((infix) => sql(`${attribute.sql} GLOB ?`, `?????-${infix}-*`));
  const either = joinSql(conditions, ' OR ');
  return sql(`(${either.text})`, ...either.values);
}

/** `container_requests` → `arvados#containerRequest`. */
export function toKind(resource: Resource): string {
  const singular = resource.slice(0, -1);
  return `arvados#${singular.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase())}`;
}
