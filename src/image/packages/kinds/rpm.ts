import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstalledPackage, PackageReader } from '../model.ts';
import { parseRpmHeader } from './rpm-header.ts';

/** The database of rpm: SQLite since 4.16. The older forms (Berkeley DB, ndb) are named as not read. */
export const rpmReader: PackageReader = {
  matches: (path) => /(^|\/)(var\/lib|usr\/lib\/sysimage)\/rpm\/(rpmdb\.sqlite|Packages|Packages\.db)$/.test(path),
  read: (content, path) => {
    if (!path.endsWith('.sqlite')) throw new Error('it is of the form before rpm 4.16, which is not read');
    return readBlobs(content).flatMap(toPackage);
  },
};

/** Public keys stand in the database too, as packages of this name. */
const keyName = 'gpg-pubkey';

function toPackage(blob: Buffer): InstalledPackage[] {
  const { name, version, release, epoch, arch, sourceRpm } = parseRpmHeader(blob);
  if (!name || !version || name === keyName) return [];
  const source = /^(.+)-([^-]+)-([^-]+)\.src\.rpm$/.exec(sourceRpm ?? '');
  const whole = `${epoch ? `${epoch}:` : ''}${version}${release ? `-${release}` : ''}`;
  return [
    {
      ...{ kind: 'rpm', name, version: whole },
      ...(arch && { architecture: arch }),
      ...(source?.[1] && { source: { name: source[1], version: `${source[2]}-${source[3]}` } }),
    },
  ];
}

function readBlobs(content: Buffer): Buffer[] {
  const { DatabaseSync } = createRequire(import.meta.url)('node:sqlite') as typeof import('node:sqlite');
  const folder = mkdtempSync(join(tmpdir(), 'hallmark-rpmdb-'));
  try {
    const path = join(folder, 'rpmdb.sqlite');
    writeFileSync(path, content);
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      // What the database defines itself (views, generated columns) could run for ever: only a plain table is read.
      const [table] = database.prepare("SELECT type, sql FROM sqlite_schema WHERE name = 'Packages'").all();
      if (table?.type !== 'table' || /generated|\bas\s*\(/i.test(String(table.sql)))
        throw new Error('it has no table Packages');
      return database
        .prepare('SELECT blob FROM Packages')
        .all()
        .map(({ blob }) => Buffer.from(blob as Uint8Array));
    } finally {
      database.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
