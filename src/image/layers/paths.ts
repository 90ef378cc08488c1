import { imageError } from '../errors.ts';

const maxPathBytes = 4096;
const maxSymlinks = 40;

/** `image/unsafe-layer`. */
export const unsafe = (why: string) =>
  imageError('image/unsafe-layer', `layer: ${why}`, {
    hint: 'no honest tool makes such a layer; do not use the image, or have it rebuilt',
  });

const quoted = (path: string) => JSON.stringify(path.slice(0, 200));

/** Parts of a member's name below the root: no empty part, no `.`, no `..`. A name that leaves the root is refused. */
export function toParts(name: string): string[] {
  if (name.includes('\0') || name.length > maxPathBytes)
    throw unsafe(`a name with a NUL or over ${maxPathBytes} characters: ${quoted(name)}`);
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw unsafe(`${quoted(name)} leads out of the root`);
  }
  return parts;
}

/**
 * Where `parts` leads once every symlink on the way, the last part too, is followed inside the root as chroot would. `linkAt` gives the
 * target of the symlink at a path, or undefined.
 */
export function resolvePath(parts: readonly string[], linkAt: (path: string) => string | undefined): string {
  const walk = followLinks(parts);
  let step = walk.next();
  while (!step.done) step = walk.next(linkAt(step.value));
  if (step.value === undefined) throw unsafe(`${quoted(parts.join('/'))} lies behind a loop of symlinks`);
  return step.value;
}

/**
 * The walk itself, whoever looks: yields each path on the way and wants the target of the symlink there, undefined where none is.
 * `..` and absolute targets never lead out of the root. Gives where it ends; undefined: never, the symlinks lead in a loop.
 */
export function* followLinks(parts: readonly string[]): Generator<string, string | undefined, string | undefined> {
  const todo = parts.toReversed();
  const done: string[] = [];
  let followed = 0;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    done.push(part);
    const target = yield done.join('/');
    if (target === undefined) continue;
    followed += 1;
    if (followed > maxSymlinks) return undefined;
    if (target.startsWith('/')) done.length = 0;
    else done.pop();
    todo.push(...target.split('/').reverse());
  }
  return done.join('/');
}

/** `resolvePath` of all but the last part, which is not followed: where a new entry of that name goes. */
export function resolveParents(parts: readonly string[], linkAt: (path: string) => string | undefined): string {
  const parent = resolvePath(parts.slice(0, -1), linkAt);
  return [parent, ...parts.slice(-1)].filter((part) => part !== '').join('/');
}
