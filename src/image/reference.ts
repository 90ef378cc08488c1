import type { Brand } from '../core/brand.ts';
import { type Digest, isDigest } from '../core/ids.ts';
import { imageError } from './errors.ts';

/**
 * The name of an image in a registry, made by `parseReference`. Grammar: distribution/reference 0.6, "reference";
 * defaults: `docker.io`, `library/`, and the tag `latest` where neither tag nor digest is given.
 */
export type ImageReference = Brand<
  {
    /** `host[:port]` as written; `docker.io` for Docker Hub. */
    readonly registry: string;
    /** Path in the registry: `library/debian`. */
    readonly repository: string;
    readonly tag?: string;
    readonly digest?: Digest;
    /** True where the text named no registry: `registries.conf` may look for it elsewhere than on Docker Hub. */
    readonly short: boolean;
  },
  'ImageReference'
>;

export const dockerHub = 'docker.io';
const defaultTag = 'latest';
const maxNameLength = 255;

const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const registryPattern = new RegExp(
  `^(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`,
);
const pathPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;

/** Parses a reference as users write it: `debian`, `host:5000/img:tag`, `img@sha256:…`, `img:tag@sha256:…`. */
export function parseReference(text: string): ImageReference {
  const [beforeDigest, digest] = splitDigest(text);
  const [name, tag] = splitTag(beforeDigest, text);
  if (/^[0-9a-f]{64}$/.test(name)) {
    throw bad(
      text,
      'the name is 64 hex digits, which is an image hash',
      `write sha256:${name.slice(0, 12)}… or a name`,
    );
  }
  const [registry, path, short] = splitRegistry(name);
  const repository = registry === dockerHub && !path.includes('/') ? `library/${path}` : path;
  checkName(text, registry, repository);
  return {
    registry,
    repository,
    ...(tag !== undefined ? { tag } : digest === undefined ? { tag: defaultTag } : {}),
    ...(digest !== undefined && { digest }),
    short,
  } as ImageReference;
}

/** Canonical text, with nothing left to default: `docker.io/library/debian:stable-slim`. */
export function formatReference(reference: ImageReference): string {
  return `${reference.registry}/${reference.repository}${suffix(reference)}`;
}

/** The text people write: `debian:stable-slim`. `parseReference` gives the same reference back. */
export function toFamiliarName(reference: ImageReference): string {
  return familiarRepository(reference) + suffix(reference);
}

/**
 * The value of the property `docker-image-repo-tag`, as arv-keepdocker writes it: `debian:stable-slim`.
 * A digest decides over a tag beside it: `debian@sha256:…`.
 */
export function toRepoTag(reference: ImageReference): string {
  const repository = familiarRepository(reference);
  return reference.digest ? `${repository}@${reference.digest}` : `${repository}:${reference.tag}`;
}

/** What `RepoTags` of an archive may hold for this reference: `repository:tag`, or nothing when it has no tag. */
export function toArchiveTags(reference: ImageReference): readonly string[] {
  return reference.tag === undefined ? [] : [`${familiarRepository(reference)}:${reference.tag}`];
}

/** The same image at another place: what mirrors and short-name aliases make of a reference. */
export function relocateReference(reference: ImageReference, registry: string, repository: string): ImageReference {
  checkName(`${registry}/${repository}`, registry, repository);
  return { ...reference, registry, repository, short: false } as ImageReference;
}

function suffix({ tag, digest }: ImageReference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

function familiarRepository({ registry, repository }: ImageReference): string {
  if (registry !== dockerHub) return `${registry}/${repository}`;
  const rest = repository.startsWith('library/') ? repository.slice('library/'.length) : repository;
  // `docker.io/library/a/b` must keep its `library/`, or it would come back as `docker.io/a/b`.
  return rest.includes('/') ? repository : rest;
}

function splitDigest(text: string): [string, Digest | undefined] {
  const at = text.indexOf('@');
  if (at < 0) return [text, undefined];
  const digest = text.slice(at + 1);
  if (!isDigest(digest)) {
    throw bad(text, 'expected a digest after "@"', 'write it as @sha256: and 64 lower-case hex digits');
  }
  return [text.slice(0, at), digest];
}

function splitTag(name: string, text: string): [string, string | undefined] {
  const colon = name.lastIndexOf(':');
  if (colon < 0 || colon < name.lastIndexOf('/')) return [name, undefined];
  const tag = name.slice(colon + 1);
  if (!tagPattern.test(tag)) {
    throw bad(
      text,
      `"${tag}" is no tag`,
      'a tag has 1 to 128 letters, digits, "_", "." or "-" and starts with a letter, digit or "_"',
    );
  }
  return [name.slice(0, colon), tag];
}

/** The first part is a registry when it cannot be a path: a dot, a port, an upper-case letter, or `localhost`. */
function splitRegistry(name: string): [registry: string, path: string, short: boolean] {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  if (!/[.:A-Z]/.test(first) && first !== 'localhost') return [dockerHub, name, true];
  return [first === 'index.docker.io' ? dockerHub : first, name.slice(slash + 1), false];
}

function checkName(text: string, registry: string, repository: string): void {
  if (!registryPattern.test(registry))
    throw bad(text, `"${registry}" is no registry`, 'a registry is a host name, maybe with a port');
  if (!repository.split('/').every((part) => pathPattern.test(part))) {
    const hint = /[A-Z]/.test(repository)
      ? `repository names are lower case: ${repository.toLowerCase()}`
      : 'a repository is parts of lower-case letters and digits, joined by "/", ".", "_", "__" or "-"';
    throw bad(text, `"${repository}" is no repository name`, hint);
  }
  if (registry.length + 1 + repository.length > maxNameLength) {
    throw bad(text, `the name is longer than ${maxNameLength} characters`, 'shorten the repository name');
  }
}

function bad(text: string, why: string, hint: string) {
  return imageError('image/bad-reference', `image reference ${JSON.stringify(text.slice(0, 300))}: ${why}`, { hint });
}
