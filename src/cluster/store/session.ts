import { readFileSync, readlinkSync } from 'node:fs';
import type { Uuid } from '../../core/ids.ts';
import { processStart } from '../../core/process-start.ts';
import type { Database } from './database.ts';

/**
 * One open store of one process: the holder of locks (`locked_by_uuid`) and the one who waits for requests. Its row is
 * written with the first of these; a row whose process is gone, or no row, means that nobody is there any more.
 */
export interface Session {
  readonly uuid: Uuid;
  /** Makes this session known to the other processes. Inside a transaction. */
  register(): void;
  /** Of any session: this one, one of a live process, or one that nothing is known about on this machine. */
  isAlive(uuid: string): boolean;
  /**
   * Its row stays where a write was lost, which may have been the word that nobody waits for its work any more: the next process
   * takes that back. A server that stops in order leaves the work of its clients, who come back for it.
   */
  end(): void;
}

export function createSession(db: Database, uuid: Uuid): Session {
  let registered = false;
  return {
    uuid,
    register: () => {
      if (registered) return;
      registered = true;
      db.run(
        'INSERT OR IGNORE INTO sessions (uuid, pid, process_start, machine) VALUES (?, ?, ?, ?)',
        uuid,
        process.pid,
        processStart(process.pid) ?? '',
        machine(),
      );
    },
    isAlive: (other) => {
      if (other === uuid) return true;
      const row = db.get('SELECT pid, process_start, machine FROM sessions WHERE uuid = ?', other);
      if (row === undefined) return false;
      if (row.machine !== machine()) return isElsewhere(String(row.machine));
      return processStart(Number(row.pid)) === row.process_start;
    },
    end: () => {
      if (!registered || db.hasFailed()) return;
      try {
        db.run('DELETE FROM sessions WHERE uuid = ?', uuid);
      } catch {
        // A full disk: the row goes with what recovers from processes that are gone.
      }
    },
  };
}

let known: string | undefined;

/** Boot and process-number space: numbers of processes mean something only within both. */
function machine(): string {
  known ??= [
    read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
    read(() => readlinkSync('/proc/self/ns/pid')),
  ].join(' ');
  return known;
}

/** A boot of the past is over; another container or host that shares the folder cannot be seen from here: it may live. */
function isElsewhere(other: string): boolean {
  return other.split(' ')[0] === machine().split(' ')[0];
}

function read(attempt: () => string): string {
  try {
    return attempt();
  } catch {
    return '-';
  }
}
