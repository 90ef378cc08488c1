import type { Migration } from './migration.ts';

/** One row for each transaction: `uuids` of what it changed, parted by spaces. What was in the old one nobody waits for any more. */
export const changesOfTransactions: Migration = {
  version: 3,
  sql: `
DROP TABLE changes;
CREATE TABLE changes (
  seq INTEGER PRIMARY KEY,
  session TEXT NOT NULL,
  uuids TEXT NOT NULL
);
`,
};
