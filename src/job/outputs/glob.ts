import { compileNamePattern } from '../../core/name-pattern.ts';
import type { Collection } from '../../keep/collection.ts';
import { compareCodePoints } from '../../keep/paths.ts';
import { findEntry, listDirectory } from '../../keep/tree.ts';
import { jobError } from '../errors.ts';

/**
 * Paths of files and directories that a pattern names, in POSIX order (CWL v1.2, `glob`: glob(3); `''` is the output directory
 * itself). A wildcard takes no dot at the start of a name. Fails with `job/outside-output` where a pattern leaves the directory.
 */
export function matchGlob(collection: Collection, pattern: string, outdir: string): string[] {
  const relative = toRelative(pattern, outdir);
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw outside(pattern);
  let matched = [''];
  for (const part of parts) matched = matched.flatMap((directory) => matchPart(collection, directory, part));
  if (relative.endsWith('/')) matched = matched.filter((path) => findEntry(collection, path)?.kind === 'directory');
  return matched.sort(compareCodePoints);
}

function toRelative(pattern: string, outdir: string): string {
  if (pattern === outdir) return '.';
  if (pattern.startsWith(`${outdir}/`)) return pattern.slice(outdir.length + 1);
  if (pattern.startsWith('/')) throw outside(pattern);
  return pattern;
}

const outside = (pattern: string) =>
  jobError(
    'job/outside-output',
    `glob: expected a pattern inside the output directory, got ${JSON.stringify(pattern)}`,
    {
      hint: 'use a relative pattern without ".."',
    },
  );

function matchPart(collection: Collection, directory: string, part: string): string[] {
  const parent = directory === '' ? '' : `${directory}/`;
  if (!/[*?[]/.test(part)) {
    const path = parent + part.replace(/\\(.)/g, '$1');
    return findEntry(collection, path) ? [path] : [];
  }
  if (findEntry(collection, directory)?.kind !== 'directory') return [];
  const matches = compileNamePattern(part);
  const takesHidden = startsWithDot.test(part);
  return listDirectory(collection, directory).flatMap(({ name }) =>
    (takesHidden || !name.startsWith('.')) && matches(name) ? [parent + name] : [],
  );
}

/** A dot itself, not a wildcard or class that also takes one. */
const startsWithDot = /^(\\?\.|\[\.+\])/;
