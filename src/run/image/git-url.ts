import { pathToFileURL } from 'node:url';
import type { Position } from '../../cwl/model.ts';
import { runError } from '../errors.ts';

/** A build context in a repository, as docker writes it: `repository#ref:subdir`. */
export interface GitUrl {
  /** For `git fetch`; a local path as a `file:` URL. */
  readonly repository: string;
  /** Branch, tag or whole commit hash; absent: what the repository's HEAD names. */
  readonly ref?: string;
  readonly subdir?: string;
}

const schemes = /^(?:https?|ssh|git|file):\/\//i;
/** `user@host:path`, as ssh(1) and git take it. */
const scpLike = /^[\w.-]+@[\w.-]+:(?!\/\/)/;
const refPattern = /^[\w][\w./@+-]*$/;

/**
 * Undefined for what is no repository. Any other transport of git (`ext::`, `fd::`) is none: it would run a command. Fails with
 * `run/bad-requirement` for a repository that cannot be asked for safely.
 */
export function parseGitUrl(text: string, position: Position): GitUrl | undefined {
  const [, base = '', fragment] = /^([^#]*)(?:#(.*))?$/s.exec(text) ?? [];
  const repository = toRepository(base, fragment !== undefined, position.file);
  if (repository === undefined) return undefined;
  const [, ref = '', subdir = ''] = /^([^:]*):?(.*)$/s.exec(fragment ?? '') ?? [];
  const refuse = (expected: string, got: string, hint: string) =>
    runError('run/bad-requirement', `context of hm:ImageBuild: expected ${expected}, got ${got}`, {
      where: position,
      hint,
    });
  if (URL.canParse(repository) && new URL(repository).password !== '')
    throw refuse('a URL without a password', 'one with it', 'records keep the URL: use a credential helper of git');
  if (ref !== '' && !refPattern.test(ref))
    throw refuse('a branch, tag or commit after "#"', JSON.stringify(ref), 'docker writes repository.git#ref:subdir');
  if (subdir.split('/').includes('..') || subdir.includes('\0'))
    throw refuse('a folder inside the repository', JSON.stringify(subdir), 'name it from the root of the repository');
  return { repository, ...(ref && { ref }), ...(subdir && { subdir: subdir.replace(/^\/+|\/+$/g, '') }) };
}

function toRepository(base: string, hasFragment: boolean, document: string): string | undefined {
  if (/^https?:/i.test(base) && !hasFragment && !/\.git\/?$/.test(base)) return undefined;
  if (schemes.test(base) || scpLike.test(base)) return base;
  const isPath = !/^[a-z][a-z0-9+.-]*:/i.test(base) && (hasFragment || /\.git\/?$/.test(base));
  if (!isPath) return undefined;
  const from = document.startsWith('/') ? pathToFileURL(document).href : document;
  return new URL(encodeURI(base), from).href;
}
