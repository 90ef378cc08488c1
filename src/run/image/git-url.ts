import { pathToFileURL } from 'node:url';
import type { Position } from '../../cwl/model.ts';
import { type GitReference, isScpLike, readGitReference } from '../../image/git-reference.ts';
import { runError } from '../errors.ts';

const schemes = /^(?:https?|ssh|git|file):\/\//i;

/**
 * A build context in a repository; a local path becomes a `file:` URL. Undefined for what is no repository. Any other transport of git
 * (`ext::`, `fd::`) is none: it would run a command. Fails with `run/bad-requirement` for one that cannot be asked for safely.
 */
export function parseGitUrl(text: string, position: Position): GitReference | undefined {
  const [, base = '', fragment] = /^([^#]*)(?:#(.*))?$/s.exec(text) ?? [];
  const repository = toRepository(base, fragment !== undefined, position.file);
  if (repository === undefined) return undefined;
  return readGitReference(repository, fragment, (expected, got, hint) =>
    runError('run/bad-requirement', `context of hm:ImageBuild: expected ${expected}, got ${got}`, {
      where: position,
      hint,
    }),
  );
}

function toRepository(base: string, hasFragment: boolean, document: string): string | undefined {
  if (/^https?:/i.test(base) && !hasFragment && !/\.git\/?$/.test(base)) return undefined;
  if (schemes.test(base) || isScpLike(base)) return base;
  const isPath = !/^[a-z][a-z0-9+.-]*:/i.test(base) && (hasFragment || /\.git\/?$/.test(base));
  if (!isPath) return undefined;
  const from = document.startsWith('/') ? pathToFileURL(document).href : document;
  return new URL(encodeURI(base), from).href;
}
