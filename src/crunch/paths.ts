import { posix } from 'node:path';

/** Every path of a host container's record lies under this name, which stands for its real directory. */
export const hostPrefix = '/hallmark.host';

/** Absolute, normal, without a slash at its end. */
export function toContainerPath(path: string, base = '/'): string {
  const normal = posix.resolve('/', base, path);
  return normal;
}

/** `/a/b` is inside `/a` and inside itself. */
export function isInside(path: string, directory: string): boolean {
  return path === directory || directory === '/' || path.startsWith(`${directory}/`);
}

/** `/a/b/c` from `/a` is `b/c`; from itself the empty text. Requires `isInside`. */
export function relativeTo(path: string, directory: string): string {
  if (path === directory) return '';
  return directory === '/' ? path.slice(1) : path.slice(directory.length + 1);
}
