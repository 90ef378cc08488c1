import { posix } from 'node:path';
import type { Container, Mount, Mounts } from '../../api/records.ts';
import { isJsonObject } from '../../core/json.ts';
import type { Platform } from '../../image/model.ts';
import { parsePlatform } from '../../image/platform.ts';
import { redact } from '../../image/redact.ts';
import { crunchError } from '../errors.ts';

/** What a `docker build` record says (design 4.3). */
export interface BuildRequest {
  /** Path in the mounts of the Dockerfile. */
  readonly dockerfile: string;
  readonly context?: ContextMount;
  /** Name in FROM → mount of the base's image collection. */
  readonly bases: ReadonlyMap<string, Mount & { kind: 'collection' }>;
  /** URL of an ADD → mount of what it fetches. */
  readonly remotes: ReadonlyMap<string, ContextMount>;
  /** URL of an ADD → when its file was modified, in seconds since the epoch. */
  readonly modifiedSeconds: ReadonlyMap<string, number>;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly target?: string;
  readonly platform?: Platform;
  readonly clampSeconds?: number;
}

export type ContextMount = Extract<Mount, { kind: 'collection' | 'git_tree' }>;

const fromPrefix = '/FROM/';
const addPrefix = '/ADD/';
const addedTimes = '/ADD';
const secretPrefix = '/run/secrets/';
const dockerfilePath = '/Dockerfile';

/** Reads the record. Fails with `crunch/bad-builtin`, naming the rule that it breaks. */
export function readBuildRequest(container: Container, secretMounts: Mounts): BuildRequest {
  const { flags, path } = readCommand(container);
  const contextFromUrl = path !== undefined && !path.startsWith('/') ? readContextUrl(container, path) : undefined;
  const { bases, remotes, modifiedSeconds, ...mounted } = readMounts(container, contextFromUrl !== undefined);
  const context = contextFromUrl ?? mounted.context;
  const epoch = container.environment.SOURCE_DATE_EPOCH;
  const { target, platform } = flags;
  return {
    dockerfile: path?.startsWith('/') ? posix.normalize(path) : dockerfilePath,
    ...{ bases, remotes, modifiedSeconds },
    buildArgs: container.environment,
    secrets: readSecrets(container, secretMounts),
    ...(context && { context }),
    ...(target !== undefined && { target }),
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
    ...(epoch !== undefined && /^\d{1,11}$/.test(epoch) && { clampSeconds: Number(epoch) }),
  };
}

interface BuildMounts {
  readonly context?: ContextMount;
  readonly bases: Map<string, Mount & { kind: 'collection' }>;
  readonly remotes: Map<string, ContextMount>;
  readonly modifiedSeconds: ReadonlyMap<string, number>;
}

function readMounts(container: Container, hasContext: boolean): BuildMounts {
  const bases: BuildMounts['bases'] = new Map();
  const remotes: BuildMounts['remotes'] = new Map();
  let modifiedSeconds: BuildMounts['modifiedSeconds'] = new Map();
  let context: ContextMount | undefined;
  for (const [target, mount] of Object.entries(container.mounts)) {
    const isTree = mount.kind === 'collection' || mount.kind === 'git_tree';
    if (target === '/' && !hasContext && isTree) context = mount;
    else if (target.startsWith(fromPrefix) && mount.kind === 'collection')
      bases.set(target.slice(fromPrefix.length), mount);
    else if (target.startsWith(addPrefix) && isTree) remotes.set(target.slice(addPrefix.length), mount);
    else if (target === addedTimes && mount.kind === 'json') modifiedSeconds = readTimes(mount.content, container);
    else if (target !== dockerfilePath || (mount.kind !== 'text' && mount.kind !== 'collection')) {
      const expected =
        '"/" and "/ADD/<URL>" (a collection or git_tree), "/ADD" (a json), "/Dockerfile" (a text) and "/FROM/<name>" (collections)';
      throw refuse(container, 'mounts', expected, `${redact(target)}: ${mount.kind}`);
    }
  }
  return { bases, remotes, modifiedSeconds, ...(context && { context }) };
}

function readTimes(content: unknown, container: Container): ReadonlyMap<string, number> {
  const times = isJsonObject(content) ? Object.entries(content) : [];
  const good = times.filter(
    (entry): entry is [string, number] => Number.isSafeInteger(entry[1]) && Number(entry[1]) >= 0,
  );
  if (isJsonObject(content) && good.length === times.length) return new Map(good);
  throw refuse(container, 'mounts["/ADD"]', 'a json of whole seconds by URL', content);
}

const flagPattern = /^--(target|platform)(?:=(.*))?$/s;

function readCommand(container: Container): { flags: { target?: string; platform?: string }; path?: string } {
  const flags: { target?: string; platform?: string } = {};
  const words = container.command.slice(2);
  const paths: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [, name, value] = flagPattern.exec(word) ?? [];
    if (name === 'target' || name === 'platform') flags[name] = value ?? words.shift() ?? '';
    else if (word.startsWith('-')) throw refuse(container, 'command', 'no flags but --target and --platform', word);
    else paths.push(word);
  }
  if (paths.length > 1) throw refuse(container, 'command', 'one Dockerfile or URL', paths);
  const [path] = paths;
  return { flags, ...(path !== undefined && { path }) };
}

const gitUrlPattern = /^((?:https?|ssh|git|file):\/\/[^#]+|[\w.-]+@[^#]+)#([0-9a-f]{40,64})(?::(.*))?$/;
const keepUrlPattern = /^keep:([0-9a-f]{32}\+\d+)(\/.*)?$/;

/** A URL in docker's own syntax, `repo.git#commit:subdir`, or `keep:PDH/subdir`. */
function readContextUrl(container: Container, url: string): ContextMount {
  const [, repository, commit, subdir] = gitUrlPattern.exec(url) ?? [];
  if (repository && commit) {
    return { kind: 'git_tree', url: repository, commit, ...(subdir !== undefined && { path: subdir }) };
  }
  const [, hash, path] = keepUrlPattern.exec(url) ?? [];
  if (hash) {
    const named = {
      portable_data_hash: hash as NonNullable<(ContextMount & { kind: 'collection' })['portable_data_hash']>,
    };
    return { kind: 'collection', ...named, ...(path !== undefined && { path }) };
  }
  throw refuse(container, 'command', 'a path, "keep:<hash>[/path]" or "<repository>#<commit>[:subdir]"', url);
}

function readSecrets(container: Container, secretMounts: Mounts): ReadonlyMap<string, Uint8Array> {
  const secrets = new Map<string, Uint8Array>();
  for (const [target, mount] of Object.entries(secretMounts)) {
    if (!target.startsWith(secretPrefix) || (mount.kind !== 'text' && mount.kind !== 'json')) {
      throw refuse(container, 'secret_mounts', '"/run/secrets/<id>" of kind text', `${target}: ${mount.kind}`);
    }
    const content = mount.kind === 'text' ? mount.content : JSON.stringify(mount.content);
    secrets.set(target.slice(secretPrefix.length), Buffer.from(content));
  }
  return secrets;
}

function refuse({ uuid }: Container, field: string, expected: string, got: unknown) {
  return crunchError(
    'crunch/bad-builtin',
    `docker build: expected ${field} to be ${expected}, got ${JSON.stringify(got)}`,
    {
      hint: 'see the rules of builtin requests in docs/builtin-requests.md',
      where: { container: uuid, field },
    },
  );
}
