import { chmodSync, chownSync, existsSync, mkdirSync, type Stats, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { lookUp } from './resolve.ts';

/**
 * Makes `path`, which is free of links, in the layer folder `layer`, which will lie on top of `layers`. The folders on the
 * way look as they do in the layers below, because the topmost layer says what a merged folder is like.
 */
export function makeMountPoint(
  layer: string,
  layers: readonly string[],
  path: string,
  kind: 'directory' | 'file',
): void {
  if (path === '/') return;
  makeParents(layer, layers, posix.dirname(path));
  if (kind === 'directory') makeFolder(layer, layers, path);
  else if (!existsSync(join(layer, path))) writeFileSync(join(layer, path), '');
}

function makeParents(layer: string, layers: readonly string[], path: string): void {
  if (path === '/' || existsSync(join(layer, path))) return;
  makeParents(layer, layers, posix.dirname(path));
  makeFolder(layer, layers, path);
}

function makeFolder(layer: string, layers: readonly string[], path: string): void {
  const place = join(layer, path);
  if (existsSync(place)) return;
  mkdirSync(place);
  const like = lookUp(layers, path)?.stats;
  if (like) copyAttributes(place, like);
}

function copyAttributes(place: string, like: Stats): void {
  try {
    if (like.uid !== process.getuid?.() || like.gid !== process.getgid?.()) chownSync(place, like.uid, like.gid);
  } catch {
    // An ordinary user cannot give folders away: this one shows as root's while the container runs.
  }
  chmodSync(place, like.mode & 0o7777);
}
