import { imageError } from '../../errors.ts';
import { type GitReference, isScpLike, readGitReference } from '../../git-reference.ts';
import { redact } from '../../redact.ts';

/** What an ADD takes from elsewhere. `url`: as the Dockerfile has it, variables put in; the name that a build is given it under. */
export type Remote =
  | { readonly kind: 'file'; readonly url: string }
  | { readonly kind: 'git'; readonly url: string; readonly git: GitReference };

const hint = 'put it into the build context, or fetch it in a RUN';

/**
 * Undefined for a path of the context. Fails with `image/unsupported-instruction` for what nobody fetches here, and with
 * `image/bad-dockerfile` for a URL with credentials, which the records of a build would keep.
 */
export function readRemote(source: string): Remote | undefined {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(source) ?? [];
  if (scheme === '') return isScpLike(source) ? toGit(source) : undefined;
  switch (scheme.toLowerCase()) {
    case 'git':
    case 'ssh':
      return toGit(source);
    case 'http':
    case 'https': {
      checkWebUrl(source);
      return /^[^?#]*\.git\/?([?#]|$)/.test(rest) ? toGit(source) : { kind: 'file', url: source };
    }
    default: {
      const expected = 'expected an http or https URL, or a git repository';
      throw imageError('image/unsupported-instruction', `ADD of ${redact(source)} is not supported: ${expected}`, {
        hint,
      });
    }
  }
}

/** Whether the beginning says that it is no path of the context. */
export const isRemote = (source: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(source) || isScpLike(source);

/** Before variables are put in: one at the beginning may stand for a URL. */
export const mayBeRemote = (source: string): boolean => isRemote(source) || source.startsWith('$');

function checkWebUrl(source: string): void {
  // Without a host, which a variable may have left empty, the first part of the path would be taken for one; line ends would be left out.
  const url = /^\w+:\/\/[^/\\?#]\P{Cc}*$/u.test(source) ? URL.parse(source) : null;
  if (!url) throw imageError('image/bad-dockerfile', `expected a URL to ADD, got ${JSON.stringify(redact(source))}`);
  if (url.username === '' && url.password === '') return;
  throw imageError('image/bad-dockerfile', `expected a URL without credentials to ADD, got ${redact(source)}`, {
    hint: 'image and records would keep them: fetch it in a RUN with --mount=type=secret',
  });
}

function toGit(url: string): Remote {
  const [, repository = '', fragment] = /^([^#]*)(?:#(.*))?$/s.exec(url) ?? [];
  const refuse = (expected: string, got: string, reason: string) =>
    imageError('image/bad-dockerfile', `ADD of ${redact(repository)}: expected ${expected}, got ${got}`, {
      hint: reason,
    });
  if (repository.includes('?')) {
    const query = redact(repository.slice(repository.indexOf('?')));
    throw refuse('a repository without a query', query, 'write repository.git#ref:subdir');
  }
  return { kind: 'git', url, git: readGitReference(repository, fragment, refuse) };
}

/** The last part of the URL's path, as BuildKit has it; undefined where that is no name for a file. */
export function fileNameOf(url: string): string | undefined {
  const path = decode(new URL(url).pathname).replace(/\/+$/, '');
  const name = path.slice(path.lastIndexOf('/') + 1);
  return /^\.{0,2}$/.test(name) || name.includes('\0') ? undefined : name;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

export const withoutFileName = (url: string, destination: string) =>
  imageError('image/bad-dockerfile', `expected a file name at the end of ${redact(url)}, which goes into a directory`, {
    hint: `say what it is to be called: ${destination.replace(/\/*$/, '')}/NAME`,
  });

/** Fails with `image/bad-dockerfile` for a `--checksum` that can be none of such a source. */
export function checkChecksum(checksum: string, remote: Remote | undefined): void {
  const [expected, pattern] =
    remote?.kind === 'git'
      ? ['the first digits of a commit', /^[0-9a-f]{7,64}$/]
      : ['sha256: and 64 hex digits', /^sha256:[0-9a-f]{64}$/];
  if (!remote) throw imageError('image/bad-dockerfile', 'expected ADD --checksum of one URL or git repository');
  if (pattern.test(checksum)) return;
  throw imageError('image/bad-dockerfile', `expected ADD --checksum=${expected}, got ${JSON.stringify(checksum)}`);
}
