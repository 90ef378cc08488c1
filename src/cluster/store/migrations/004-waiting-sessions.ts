import type { Migration } from './migration.ts';

/** Sessions that want room on the machine and find none: since when, and until when that holds, in seconds, unless they say it again. */
export const waitingSessions: Migration = {
  version: 4,
  sql: `
ALTER TABLE sessions ADD COLUMN waiting_since TEXT;
ALTER TABLE sessions ADD COLUMN waiting_until INTEGER;
`,
};
