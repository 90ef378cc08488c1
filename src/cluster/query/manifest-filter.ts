import type { Filter } from '../../api/port.ts';
import { type Sql, sql } from './sql.ts';

const blockPattern = /^%\s?([0-9a-f]{32})(?:\\?\+\d+)?%$/;

/**
 * `["manifest_text", "like", "%<md5 of a block>%"]`, or with `+<size>`: which collections hold this block. Answered from the
 * index of blocks instead of reading every manifest.
 */
export function blockCondition(filter: Filter): Sql | undefined {
  const [, operator, operand] = filter;
  if (operator !== 'like' || typeof operand !== 'string') return undefined;
  const md5 = blockPattern.exec(operand)?.[1];
  if (md5 === undefined) return undefined;
  const holders = 'SELECT manifest_id FROM manifest_blocks WHERE md5 = ?';
  const contents = `SELECT portable_data_hash FROM manifests WHERE id IN (${holders})`;
  return sql(`portable_data_hash IN (${contents})`, Buffer.from(md5, 'hex'));
}
