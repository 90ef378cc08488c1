import type { SqlValue } from '../store/database.ts';

/** A piece of SQL with the values of its question marks. Values never become part of the text. */
export interface Sql {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

export const sql = (text: string, ...values: readonly SqlValue[]): Sql => ({ text, values });

export function joinSql(parts: readonly Sql[], separator: string): Sql {
  return { text: parts.map((part) => part.text).join(separator), values: parts.flatMap((part) => part.values) };
}

/** An SQL string literal, for the places where SQLite needs one to use an index. */
export const quoteSql = (text: string) => `'${text.replaceAll("'", "''")}'`;
