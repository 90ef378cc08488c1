import { buffer } from 'node:stream/consumers';
import { imageError } from '../../errors.ts';
import type { MergedTree } from '../../layers/merged-tree.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const maxTableBytes = 1 << 20;
const isNumber = (text: string) => /^\d+$/.test(text);

/**
 * `user[:group]`, names or numbers, names looked up in the root file system's `/etc/passwd` and `/etc/group`. Without a group: that
 * of the user's name, or the number of the user.
 */
export async function resolveOwner(text: string, tree: MergedTree, signal?: AbortSignal): Promise<Owner> {
  const [user = '', group = ''] = text.split(':');
  const named = isNumber(user) || user === '' ? undefined : await findRow(tree, 'etc/passwd', user, signal);
  const uid = named ? Number(named[2]) : Number(user);
  if (group === '') return { uid, gid: named ? Number(named[3]) : uid };
  if (isNumber(group)) return { uid, gid: Number(group) };
  const row = await findRow(tree, 'etc/group', group, signal);
  return { uid, gid: Number(row[2]) };
}

async function findRow(tree: MergedTree, path: string, name: string, signal?: AbortSignal): Promise<string[]> {
  const entry = tree.lookUp(path);
  const readable = entry?.type === 'file' && entry.size <= maxTableBytes;
  const text = readable ? (await buffer(tree.readFile(entry, signal))).toString() : '';
  const row = text
    .split('\n')
    .map((line) => line.split(':'))
    .find(([first]) => first === name);
  if (row && isNumber(row[2] ?? '')) return row;
  const what = path === 'etc/passwd' ? 'user' : 'group';
  throw imageError('image/bad-dockerfile', `expected the ${what} "${name}" in /${path} of the image, got none`, {
    hint: `make the ${what} in a RUN before, or give its number`,
  });
}
