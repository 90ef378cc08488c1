import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { toMessage } from '../../core/errors.ts';
import { executorError } from '../errors.ts';
import { type Child, startChild } from '../process/child.ts';
import { toolEnvironment } from '../process/tool-environment.ts';
import type { IdMap, IdRange } from './id-map.ts';
import { hintOnNamespaces } from './namespaces-refused.ts';

const run = promisify(execFile);

/** A user namespace that containers, extractions and clean-ups of this executor share. Ends with this process. */
export interface UserNamespace {
  /** For setns(2). */
  readonly path: string;
  /** Prefix of a command line that runs the rest as root of the namespace, ended when this process ends. */
  readonly enter: readonly [string, ...string[]];
  /** The same for what the launcher starts, and ends. */
  readonly join: readonly [string, ...string[]];
  /** Its holder has died. What runs in it lives on; nothing can enter any more. */
  readonly ended: Promise<unknown>;
  close(): Promise<void>;
}

/** Says that it lives in its namespace, then holds it until the channel ends. */
const holdScript = 'echo >&3; read -r _ <&3';

export async function openUserNamespace(idMap: IdMap): Promise<UserNamespace> {
  const holder = await startHolder(idMap);
  try {
    await untilReady(holder);
    await writeMaps(holder.pid, idMap);
  } catch (error) {
    holder.kill();
    throw error;
  }
  holder.unref();
  const path = `/proc/${holder.pid}/ns/user`;
  const join = ['nsenter', '--preserve-credentials', `--user=${path}`] as const;
  return {
    path,
    join,
    enter: ['setpriv', '--pdeathsig', 'KILL', ...join],
    ended: holder.ended,
    close: async () => {
      holder.ref();
      holder.kill();
      await holder.ended;
    },
  };
}

const startHolder = (idMap: IdMap): Promise<Child> =>
  startChild({
    command: ['unshare', ...(idMap.kind === 'single' ? ['--map-root-user'] : ['--user']), 'sh', '-c', holdScript],
    environment: toolEnvironment,
    stdout: { kind: 'ignore' },
    stderr: { kind: 'ignore' },
    control: true,
  });

async function untilReady(holder: Child): Promise<void> {
  const ready = new Promise<boolean>((resolve) => {
    holder.control?.once('data', () => resolve(true));
    holder.control?.on('error', () => {});
  });
  if (await Promise.race([ready, holder.ended.then(() => false)])) return;
  throw executorError('executor/no-user-namespaces', 'a user namespace cannot be made on this machine', {
    hint: hintOnNamespaces(),
  });
}

async function writeMaps(pid: number, idMap: IdMap): Promise<void> {
  if (idMap.kind === 'single') return;
  try {
    if (idMap.kind === 'identity') {
      await writeFile(`/proc/${pid}/uid_map`, toMapText(idMap.uids));
      await writeFile(`/proc/${pid}/gid_map`, toMapText(idMap.gids));
      return;
    }
    await run('newuidmap', [String(pid), ...idMap.uids.flat().map(String)]);
    await run('newgidmap', [String(pid), ...idMap.gids.flat().map(String)]);
  } catch (cause) {
    throw executorError(
      'executor/no-user-namespaces',
      `the ids of a user namespace cannot be set: ${toMessage(cause)}`,
      {
        hint: 'check /etc/subuid and /etc/subgid, and that newuidmap and newgidmap (package uidmap) are setuid root',
        cause,
      },
    );
  }
}

const toMapText = (ranges: readonly IdRange[]): string => ranges.map((range) => `${range.join(' ')}\n`).join('');
