import type { ContainerRequest, Mount } from '../api/records.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { gib } from '../core/units.ts';
import { requestError } from './errors.ts';
import { type BuiltinOptions, toBuiltin } from './pull-request.ts';

/** Everything that an image is built from, its context and bases in Keep. */
export interface ResolvedBuild {
  /** The text itself, or the path of the file in the context. */
  readonly dockerfile: { readonly text: string } | { readonly path: string };
  readonly context?:
    | { readonly portableDataHash: PortableDataHash; readonly path?: string }
    | { readonly url: string; readonly commit: string; readonly path?: string };
  /** Each base image: its reference as the Dockerfile has it, arguments filled in, and its image collection. */
  readonly bases: readonly { readonly reference: string; readonly image: PortableDataHash }[];
  /** What each ADD of a URL or a repository fetches, by its URL as the Dockerfile has it, arguments filled in. */
  readonly added?: readonly AddedContent[];
  readonly buildArgs: Readonly<Record<string, string>>;
  /** For `RUN --mount=type=secret`. */
  readonly secrets?: readonly { readonly id: string; readonly content: string }[];
  readonly target?: string;
  /** `linux/amd64`. */
  readonly platform?: string;
}

export interface AddedContent {
  readonly url: string;
  readonly content: NonNullable<ResolvedBuild['context']>;
  /** When the file was modified, as its server says; seconds since the epoch. */
  readonly modifiedSeconds?: number;
}

/**
 * A builtin `docker build` (design 4.3): all that the image is made from is in the request, so that equal builds are one
 * container and a changed one is a new one.
 */
export function toBuildRequest(build: ResolvedBuild, options: BuiltinOptions = {}): Partial<ContainerRequest> {
  const { dockerfile, target, platform } = build;
  const path = 'path' in dockerfile ? toAbsolute(dockerfile.path) : undefined;
  if (path !== undefined && !build.context) throw badBuild(`the Dockerfile ${path} has no context that it could be in`);
  return {
    ...toBuiltin({ ramBytes: gib, vcpus: 1, name: 'docker build', ...options }),
    command: [
      ...['docker', 'build'],
      ...(target === undefined ? [] : ['--target', target]),
      ...(platform === undefined ? [] : ['--platform', platform]),
      ...(path === undefined || path === '/Dockerfile' ? [] : [path]),
    ],
    environment: build.buildArgs,
    mounts: toMounts(build),
    secret_mounts: toSecretMounts(build),
  };
}

function toMounts({ context, dockerfile, bases, added = [] }: ResolvedBuild): Record<string, Mount> {
  const mounts: Record<string, Mount> = {};
  if (context) mounts['/'] = toContext(context);
  if ('text' in dockerfile) mounts['/Dockerfile'] = { kind: 'text', content: dockerfile.text };
  for (const { reference, image } of bases) {
    mounts[`/FROM/${reference}`] = { kind: 'collection', portable_data_hash: image };
  }
  for (const { url, content } of added) mounts[`/ADD/${url}`] = toContext(content);
  const times = added.flatMap(({ url, modifiedSeconds }) =>
    modifiedSeconds === undefined ? [] : [[url, modifiedSeconds] as const],
  );
  if (times.length > 0) mounts['/ADD'] = { kind: 'json', content: Object.fromEntries(times) };
  return mounts;
}

const toSecretMounts = ({ secrets = [] }: ResolvedBuild): Record<string, Mount> =>
  Object.fromEntries(secrets.map(({ id, content }) => [`/run/secrets/${id}`, { kind: 'text', content }]));

function toContext(context: NonNullable<ResolvedBuild['context']>): Mount {
  const path = context.path === undefined || context.path === '' ? {} : { path: context.path };
  if ('url' in context) return { kind: 'git_tree', url: context.url, commit: context.commit, ...path };
  return { kind: 'collection', portable_data_hash: context.portableDataHash, ...path };
}

function toAbsolute(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length > 0 && !parts.includes('..') && !path.includes('\0')) return `/${parts.join('/')}`;
  throw badBuild(`expected the path of a Dockerfile inside the context, got ${JSON.stringify(path)}`);
}

const badBuild = (problem: string) =>
  requestError('request/bad-build', problem, { hint: 'see hm:ImageBuild: "context" and "dockerfile"' });
