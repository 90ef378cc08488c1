import type { Filter } from '../../api/port.ts';
import { show } from '../store/attributes.ts';
import type { SqlValue } from '../store/database.ts';
import type { Attribute } from '../store/schema.ts';
import { badFilter } from './bad-filter.ts';
import { membership, similarity } from './compare.ts';
import { quoteSql, type Sql, sql } from './sql.ts';

/** A filter on one property (Arvados API, "Filtering on subproperties"). */
export function propertyCondition(attribute: Attribute, key: string, filter: Filter): Sql {
  const { value, type, path } = expressions(attribute, key);
  const [, operator, operand] = filter;
  switch (operator) {
    case '=':
      return equality(value, type, filter);
    case '!=': {
      const equal = equality(value, type, filter);
      return sql(`(${equal.text}) IS NOT 1`, ...equal.values);
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return sql(`(${value} ${operator} ? AND ${type} IN (${typesLike(filter)}))`, scalar(filter, operand));
    case 'in':
    case 'not in':
      if (!Array.isArray(operand)) throw badFilter(filter, 'expected an array');
      return membership(
        value,
        operator,
        operand.map((item: unknown) => scalar(filter, item)),
      );
    case 'like':
    case 'ilike':
      return similarity(value, filter);
    case 'exists':
      if (typeof operand !== 'boolean') throw badFilter(filter, 'expected true or false');
      return sql(`${type} IS ${operand ? 'NOT ' : ''}NULL`);
    case 'contains':
      return sql(
        `EXISTS (SELECT 1 FROM json_each(${attribute.sql}, ${path}) e WHERE e.value = ?)`,
        scalar(filter, operand),
      );
    default:
      throw badFilter(filter, `the operator ${show(operator)} does not fit a property`);
  }
}

/** The key stands in the text of the statement, not beside it, so that an index on the same expression serves. */
function expressions(attribute: Attribute, key: string): { value: string; type: string; path: string } {
  if (/["\\]/.test(key)) throw badFilter(key, 'names of properties with quotes or backslashes cannot be searched');
  const path = quoteSql(`$."${key}"`);
  return { value: `json_extract(${attribute.sql}, ${path})`, type: `json_type(${attribute.sql}, ${path})`, path };
}

/** SQLite reads true as 1: the type keeps them apart. */
function equality(value: string, type: string, filter: Filter): Sql {
  const operand = filter[2];
  if (operand === null) return sql(`${value} IS NULL`);
  if (typeof operand === 'boolean') return sql(`${type} = '${operand}'`);
  if (isNumber(operand)) return sql(`(${value} = ? AND ${type} IN ('integer', 'real'))`, scalar(filter, operand));
  return sql(`${value} = ?`, scalar(filter, operand));
}

const typesLike = (filter: Filter) => (isNumber(filter[2]) ? `'integer', 'real'` : `'text'`);

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

function scalar(filter: Filter, operand: unknown): SqlValue {
  if (operand === null || typeof operand === 'string' || typeof operand === 'number') return operand;
  // Beyond 64 bits SQLite has no integers, and reads those of JSON as floats.
  if (typeof operand === 'bigint') return BigInt.asIntN(64, operand) === operand ? operand : Number(operand);
  if (typeof operand === 'boolean') return operand ? 1 : 0;
  throw badFilter(filter, 'expected a string, a number, true or false');
}
