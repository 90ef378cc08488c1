import type { Filter } from '../../api/port.ts';
import { isJsonObject, toCanonicalJson } from '../../core/json.ts';
import { parseJson, toNumber } from '../../core/numbers.ts';
import { show } from '../store/attributes.ts';
import type { SqlValue } from '../store/database.ts';
import type { Attribute } from '../store/schema.ts';
import { toStoredTime } from '../store/time.ts';
import { badFilter } from './bad-filter.ts';
import { likeToGlob } from './patterns.ts';
import { type Sql, sql } from './sql.ts';

/** A filter on a whole attribute. */
export function compareAttribute(attribute: Attribute, filter: Filter): Sql {
  const [, operator, operand] = filter;
  const column = isStructured(attribute) ? `canonical_json(${attribute.sql})` : attribute.sql;
  switch (operator) {
    case '=':
      return sql(`${column} IS ?`, toOperand(attribute, filter, operand));
    case '!=':
    case '<>' as '!=':
      return sql(`${column} IS NOT ?`, toOperand(attribute, filter, operand));
    case '<':
    case '<=':
    case '>':
    case '>=':
      if (operand === null || isStructured(attribute)) throw badFilter(filter, 'expected something that has an order');
      return sql(`${column} ${operator} ?`, toOperand(attribute, filter, operand));
    case 'in':
    case 'not in':
      return membership(column, operator, toOperands(attribute, filter, operand));
    case 'like':
    case 'ilike':
      return similarity(column, filter);
    case 'contains':
      return containment(attribute, filter);
    default:
      throw badFilter(filter, `the operator ${show(operator)} does not fit this attribute`);
  }
}

const isStructured = (attribute: Attribute) => attribute.kind === 'array' || attribute.kind === 'hash';

export function membership(column: string, operator: 'in' | 'not in', operands: readonly SqlValue[]): Sql {
  const list = JSON.stringify(operands);
  const hasNull = operands.includes(null);
  const isIn = `${column} IN (SELECT value FROM json_each(?))`;
  if (operator === 'in') return sql(hasNull ? `(${isIn} OR ${column} IS NULL)` : isIn, list);
  const isOut = `${column} NOT IN (SELECT value FROM json_each(?) WHERE value IS NOT NULL)`;
  return sql(hasNull ? `(${isOut} AND ${column} IS NOT NULL)` : `(${isOut} OR ${column} IS NULL)`, list);
}

export function similarity(column: string, filter: Filter): Sql {
  const [, operator, operand] = filter;
  if (typeof operand !== 'string') throw badFilter(filter, 'expected a pattern');
  if (operator === 'like') return sql(`${column} GLOB ?`, likeToGlob(operand));
  return sql(`${column} LIKE ? ESCAPE '\\'`, operand.endsWith('\\') ? `${operand}\\` : operand);
}

/** Keys of a hash, or elements of an array: all that are named. */
function containment(attribute: Attribute, filter: Filter): Sql {
  if (!isStructured(attribute)) throw badFilter(filter, '"contains" is for arrays and objects');
  const wanted = [filter[2]].flat();
  if (!wanted.every((item) => typeof item === 'string'))
    throw badFilter(filter, 'expected a string or an array of strings');
  const side = attribute.kind === 'hash' ? 'key' : 'value';
  const missing = `SELECT 1 FROM json_each(?) w WHERE w.value NOT IN (SELECT h.${side} FROM json_each(${attribute.sql}) h)`;
  return sql(`NOT EXISTS (${missing})`, JSON.stringify(wanted));
}

function toOperands(attribute: Attribute, filter: Filter, operand: unknown): SqlValue[] {
  if (!Array.isArray(operand)) throw badFilter(filter, 'expected an array');
  return operand.map((item: unknown) => toOperand(attribute, filter, item));
}

function toOperand(attribute: Attribute, filter: Filter, operand: unknown): SqlValue {
  if (operand === null) return null;
  switch (attribute.kind) {
    case 'boolean':
      if (typeof operand === 'boolean') return operand ? 1 : 0;
      break;
    case 'integer':
    case 'number': {
      const number = toNumber(operand);
      if (typeof number === 'number') return number;
      break;
    }
    case 'time': {
      const time = typeof operand === 'string' ? toStoredTime(operand) : undefined;
      if (time !== undefined) return time;
      break;
    }
    case 'string':
      if (typeof operand === 'string') return operand;
      break;
    case 'array':
    case 'hash':
      return structuredOperand(filter, operand);
  }
  throw badFilter(filter, `expected a ${attribute.kind}`);
}

/** An array or object, itself or as its JSON. */
function structuredOperand(filter: Filter, operand: unknown): string {
  if (Array.isArray(operand) || isJsonObject(operand)) return toCanonicalJson(operand);
  try {
    if (typeof operand === 'string') return toCanonicalJson(parseJson(operand));
  } catch {
    // Not JSON: said below.
  }
  throw badFilter(filter, 'expected an array or an object, or its JSON');
}
