import type { CwlFile } from '../values.ts';

/**
 * The name that a secondaryFiles pattern makes of the primary file's (CWL v1.2, "SecondaryFileSchema"): each leading `^` takes
 * one extension off, the rest is put at the end. Patterns that hold expressions are evaluated before.
 */
export function applySecondaryFilePattern(basename: string, pattern: string): string {
  let name = basename;
  let rest = pattern;
  while (rest.startsWith('^')) {
    rest = rest.slice(1);
    const dot = name.lastIndexOf('.');
    if (dot > 0) name = name.slice(0, dot);
  }
  return name + rest;
}

/** Location of the file `name` beside `primary`. */
export function locationBeside(primary: CwlFile, name: string): string | undefined {
  const { location } = primary;
  if (location === undefined) return undefined;
  return location.slice(0, location.lastIndexOf('/') + 1) + encodeName(name, location);
}

/** In `keep:` names stand as they are; elsewhere locations are URIs. */
const encodeName = (name: string, location: string): string =>
  location.startsWith('keep:') ? name : name.split('/').map(encodeURIComponent).join('/');

/** Name of a file: its basename, else the last part of its location. */
export function basenameOf(file: CwlFile): string {
  if (file.basename !== undefined) return file.basename;
  const location = file.location ?? file.path ?? '';
  const name = location.slice(location.lastIndexOf('/') + 1);
  try {
    return location.startsWith('keep:') ? name : decodeURIComponent(name);
  } catch {
    return name;
  }
}
