/** A tree in a repository, as docker writes it: `repository#ref:subdir`. */
export interface GitReference {
  /** For `git fetch`. */
  readonly repository: string;
  /** Branch, tag or whole commit hash; absent: what the repository's HEAD names. */
  readonly ref?: string;
  readonly subdir?: string;
}

/** Makes the error of a reference that cannot be asked for safely. */
export type RefuseGit = (expected: string, got: string, hint: string) => Error;

/** `user@host:path`, as ssh(1) and git take it. */
export const isScpLike = (text: string): boolean => /^[\w.-]+@[\w.-]+:(?!\/\/)/.test(text);

const refPattern = /^[\w][\w./@+-]*$/;

/** `fragment`: what stands behind `#`. Throws what `refuse` makes. */
export function readGitReference(repository: string, fragment: string | undefined, refuse: RefuseGit): GitReference {
  const [, ref = '', subdir = ''] = /^([^:]*):?(.*)$/s.exec(fragment ?? '') ?? [];
  if (URL.canParse(repository) && new URL(repository).password !== '')
    throw refuse('a URL without a password', 'one with it', 'records keep the URL: use a credential helper of git');
  if (ref !== '' && !refPattern.test(ref))
    throw refuse('a branch, tag or commit after "#"', JSON.stringify(ref), 'docker writes repository.git#ref:subdir');
  if (subdir.split('/').includes('..') || subdir.includes('\0'))
    throw refuse('a folder inside the repository', JSON.stringify(subdir), 'name it from the root of the repository');
  return { repository, ...(ref && { ref }), ...(subdir && { subdir: subdir.replace(/^\/+|\/+$/g, '') }) };
}
