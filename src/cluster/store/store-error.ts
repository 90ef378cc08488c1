import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { apiError } from '../../api/errors.ts';
import { isHallmarkError, toMessage } from '../../core/errors.ts';

/** Primary result codes of SQLite, "Result and Error Codes". */
const sqlite = { busy: 5, locked: 6, readonly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notDatabase: 26 };

const noSpace = (path: string, cause: Error) =>
  apiError('api/unavailable', `no space left to write the record store ${path}`, {
    hint: 'free some space on that file system and run again: what was acknowledged is kept',
    retryable: true,
    cause,
  });

/** Less than SQLite's shared memory needs to grow, which it calls an I/O error. */
const leastFreeBytes = 64 * 1024;

function isDiskFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < leastFreeBytes;
  } catch {
    return false;
  }
}

/** What SQLite says about the file at `path`, in the words of the API; anything else stays as it is. */
export function toStoreError(error: unknown, path: string): unknown {
  if (isHallmarkError(error) || !(error instanceof Error) || !('errcode' in error)) return error;
  const cause = error;
  switch (Number(error.errcode) & 0xff) {
    case sqlite.corrupt:
    case sqlite.notDatabase:
      return apiError('api/store-damaged', `the record store ${path} is damaged: ${toMessage(error)}`, {
        hint: `keep a copy of it, try "sqlite3 ${path} .recover", or move it away to start with empty records; blocks in Keep are not affected`,
        cause,
      });
    case sqlite.busy:
    case sqlite.locked:
      return apiError('api/unavailable', `the record store ${path} is locked by another process`, {
        hint: 'find out which process holds it (fuser); a stopped one keeps its lock until it continues or ends',
        retryable: true,
        cause,
      });
    case sqlite.full:
      return noSpace(path, cause);
    case sqlite.readonly:
    case sqlite.ioError:
    case sqlite.cannotOpen:
      if (isDiskFull(path)) return noSpace(path, cause);
      return apiError('api/unavailable', `cannot use the record store ${path}: ${toMessage(error)}`, {
        hint: 'check that its folder exists and that you may write to it',
        cause,
      });
    default:
      return error;
  }
}
