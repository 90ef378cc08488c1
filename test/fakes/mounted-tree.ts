import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { posix } from 'node:path';
import type { RunMount } from '../../src/image/build/port.ts';
import { type FileTree, newNode, removeTree } from './file-tree.ts';

/** A tree with the mounts of one run put in; `unmount` writes what belongs to the host back and gives the root without them. */
export interface MountedTree {
  readonly tree: FileTree;
  isReadOnly(path: string): boolean;
  unmount(): FileTree;
}

export function mountTree(root: FileTree, mounts: readonly RunMount[]): MountedTree {
  const tree: FileTree = new Map(root);
  const hidden = new Map(root);
  const missing: string[] = [];
  for (const mount of mounts) {
    for (let path = mount.target; !tree.has(path); path = posix.dirname(path)) missing.push(path);
    for (const path of [...missing]) if (!tree.has(path)) tree.set(path, newNode('directory'));
    removeTree(tree, mount.target);
    for (const [path, node] of contentOf(mount)) tree.set(path, node);
  }
  const under = (path: string) => mounts.find(({ target }) => path === target || path.startsWith(`${target}/`));
  return {
    tree,
    isReadOnly(path) {
      const mount = under(path);
      return mount?.type === 'bind' ? !mount.writable : mount?.type === 'cache' ? mount.readOnly : false;
    },
    unmount() {
      for (const mount of mounts) if (mount.type === 'cache' || mount.type === 'bind') writeBack(tree, mount);
      for (const { target } of mounts) removeTree(tree, target);
      for (const path of missing) tree.delete(path);
      for (const [path, node] of hidden) if (under(path)) tree.set(path, node);
      return tree;
    },
  };
}

function contentOf(mount: RunMount): FileTree {
  const tree: FileTree = new Map();
  if (mount.type === 'tmpfs') tree.set(mount.target, newNode('directory', { mode: 0o1777 }));
  else if (mount.type === 'secret') {
    const { mode, uid, gid, content, target } = mount;
    tree.set(target, newNode('file', { mode, uid, gid, content: Buffer.from(content) }));
  } else readHost(tree, mount.source, mount.target);
  return tree;
}

function readHost(tree: FileTree, source: string, target: string): void {
  const { mode, uid, gid } = lstatSync(source);
  const owner = { mode: mode & 0o7777, uid, gid };
  if (lstatSync(source).isSymbolicLink()) tree.set(target, newNode('symlink', { linkPath: readlinkSync(source) }));
  else if (statSync(source).isFile()) tree.set(target, newNode('file', { ...owner, content: readFileSync(source) }));
  else {
    tree.set(target, newNode('directory', owner));
    for (const name of readdirSync(source)) readHost(tree, posix.join(source, name), posix.join(target, name));
  }
}

function writeBack(tree: FileTree, mount: Extract<RunMount, { source: string }>): void {
  if (mount.type === 'bind' ? !mount.writable : mount.readOnly) return;
  for (const name of readdirSync(mount.source)) rmSync(posix.join(mount.source, name), { recursive: true });
  for (const [path, node] of [...tree].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!path.startsWith(`${mount.target}/`)) continue;
    const host = posix.join(mount.source, path.slice(mount.target.length));
    if (node.type === 'directory') mkdirSync(host);
    else writeFileSync(host, node.content, { mode: node.mode });
  }
}
