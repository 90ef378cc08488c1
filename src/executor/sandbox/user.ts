import { readFileSync } from 'node:fs';
import { executorError } from '../errors.ts';
import type { RunUser } from './init.ts';
import { resolveTarget } from './resolve.ts';

export interface FoundUser extends RunUser {
  readonly home: string;
}

interface Entry {
  readonly name: string;
  readonly id: number;
  readonly fields: readonly string[];
}

/** Looks `user[:group]` up in the root's own passwd(5) and group(5), as the USER instruction says. Empty: root. */
export function findUser(layers: readonly string[], user: string): FoundUser {
  const [userPart = '', groupPart] = (user || '0').split(':');
  const account = findEntry(readTable(layers, '/etc/passwd'), userPart, 'user');
  const groups = readTable(layers, '/etc/group');
  const ownGroup = Number(account.fields[3] ?? 0);
  const name = account.name;
  return {
    uid: account.id,
    gid: groupPart === undefined ? ownGroup : findEntry(groups, groupPart, 'group').id,
    groups:
      groupPart === undefined
        ? groups.filter(({ fields }) => name !== '' && fields[3]?.split(',').includes(name)).map(({ id }) => id)
        : [],
    home: account.fields[5] || '/',
  };
}

function findEntry(table: readonly Entry[], wanted: string, what: string): Entry {
  const isNumber = /^\d+$/.test(wanted);
  const found = table.find(({ name, id }) => name === wanted || (isNumber && id === Number(wanted)));
  if (found) return found;
  if (isNumber) return { name: '', id: Number(wanted), fields: [] };
  throw executorError('executor/start-failed', `the image has no ${what} named "${wanted}"`, {
    hint: `make the ${what} in an instruction before this one, or give a number`,
  });
}

function readTable(layers: readonly string[], path: string): Entry[] {
  const { hostPath, kind } = resolveTarget(layers, path);
  if (kind !== 'file' || hostPath === undefined) return [];
  return readFileSync(hostPath, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length > 2)
    .map((fields) => ({ name: fields[0] ?? '', id: Number(fields[2]), fields }));
}
