import { apiError } from '../../../api/errors.ts';
import type { Database } from '../database.ts';
import { records } from './001-records.ts';
import { runningRuns } from './002-running-runs.ts';
import { changesOfTransactions } from './003-changes.ts';
import { waitingSessions } from './004-waiting-sessions.ts';
import type { Migration } from './migration.ts';

const migrations: readonly Migration[] = [records, runningRuns, changesOfTransactions, waitingSessions];
const newest = migrations.at(-1)?.version ?? 0;
/** "HLMK": tells this file from other SQLite files (PRAGMA application_id). */
const applicationId = 0x484c4d4b;

/** Brings the file to the newest layout; idempotent, and safe when several processes open a new file at once. */
export function migrate(db: Database): void {
  if (layoutVersion(db) === newest) return;
  db.transaction(() => {
    const version = layoutVersion(db);
    for (const migration of migrations) {
      if (migration.version > version) db.exec(migration.sql);
    }
    db.exec(`PRAGMA user_version = ${newest}; PRAGMA application_id = ${applicationId}`);
  });
}

function layoutVersion(db: Database): number {
  const version = Number(db.get('PRAGMA user_version')?.user_version);
  const owner = Number(db.get('PRAGMA application_id')?.application_id);
  if (owner !== applicationId && (owner !== 0 || version !== 0)) {
    throw apiError('api/store-damaged', `${db.path} is an SQLite file of another program, not a record store`, {
      hint: 'point HALLMARK_HOME at a folder of its own',
    });
  }
  if (version > newest) {
    throw apiError('api/unavailable', `the record store ${db.path} has layout ${version}, expected at most ${newest}`, {
      hint: 'it was written by a newer Hallmark: use that version, or another HALLMARK_HOME',
    });
  }
  return version;
}
