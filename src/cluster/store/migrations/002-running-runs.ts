import type { Migration } from './migration.ts';

/** Few at any time, and looked for whenever the file is opened. */
export const runningRuns: Migration = {
  version: 2,
  sql: `
CREATE INDEX requests_running_run ON container_requests (session)
  WHERE json_extract(properties, '$."hm:status"') = 'running';
`,
};
