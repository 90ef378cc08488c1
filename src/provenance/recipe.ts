import { createHash } from 'node:crypto';
import type { ContainerRequest, Mount } from '../api/records.ts';
import { builtinImage } from '../api/records.ts';
import type { Uuid } from '../core/ids.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { AddedSource, BuildRecipe, GitState } from './model.ts';

/** What a container request is for. */
export type Purpose = 'build' | 'pull' | 'run' | 'step';

/** Told by properties and command alone: requests of arvados-cwl-runner are known too. */
export function purposeOf(request: ContainerRequest): Purpose {
  const [program, verb] = request.command;
  if (request.properties['hm:kind'] === 'run' || program === 'cwl-runner' || program === 'arvados-cwl-runner')
    return 'run';
  if (request.container_image !== builtinImage || program !== 'docker') return 'step';
  return verb === 'build' ? 'build' : verb === 'pull' ? 'pull' : 'step';
}

/** The run that submitted the request: named by it here, by its requesting container on a real cluster. */
export function runOf(request: ContainerRequest): { readonly run?: Uuid } {
  const run = textProperty(request.properties, 'hm:run') ?? request.requesting_container_uuid;
  return run ? { run: run as Uuid } : {};
}

/** Flags of `docker build` and `docker pull` that take a value. */
const valueFlags = new Set(['--build-arg', '--file', '-f', '--platform', '--target', '--tag', '-t', '--network']);

interface BuiltinCommand {
  readonly flags: Readonly<Record<string, string>>;
  /** The argument that is no flag: a reference, or the path or URL of a Dockerfile. */
  readonly operand?: string;
}

/** Reads `["docker", "build" | "pull", flags…, operand?]`. */
export function parseBuiltinCommand(command: readonly string[]): BuiltinCommand {
  const flags: Record<string, string> = {};
  let operand: string | undefined;
  const rest = command.slice(2).values();
  for (const argument of rest) {
    const equals = argument.indexOf('=');
    if (!argument.startsWith('-')) operand = argument;
    else if (equals > 0) flags[argument.slice(0, equals)] = argument.slice(equals + 1);
    else flags[argument] = valueFlags.has(argument) ? (rest.next().value ?? '') : 'true';
  }
  return { flags, ...(operand === undefined ? {} : { operand }) };
}

const dockerfileMount = '/Dockerfile';
const basePrefix = '/FROM/';
const addedPrefix = '/ADD/';

/** The instructions of a build request, as far as the request itself holds them: a Dockerfile in the context is named only. */
export function readBuildRecipe(request: ContainerRequest): BuildRecipe {
  const { flags, operand } = parseBuiltinCommand(request.command);
  const inline = request.mounts[dockerfileMount];
  const text = inline?.kind === 'text' ? inline.content : undefined;
  const path = text === undefined ? (operand ?? flags['--file'] ?? flags['-f'] ?? '/Dockerfile') : undefined;
  const sha256 = text === undefined ? textProperty(request.properties, 'hm:dockerfileSha256') : sha256Of(text);
  const context = toContext(request.mounts['/']);
  const target = flags['--target'];
  const platform = flags['--platform'];
  const document = textProperty(request.properties, 'hm:document');
  return {
    dockerfile: {
      ...(path === undefined ? {} : { path }),
      ...(text === undefined ? {} : { text }),
      ...(sha256 === undefined ? {} : { sha256 }),
    },
    ...(context === undefined ? {} : { context }),
    buildArguments: request.environment,
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
    bases: readBases(request),
    added: readAdded(request),
    ...(document === undefined ? {} : { document }),
  };
}

function readBases(request: ContainerRequest): BuildRecipe['bases'] {
  return Object.entries(request.mounts).flatMap(([target, mount]) => {
    if (!target.startsWith(basePrefix) || mount.kind !== 'collection' || !mount.portable_data_hash) return [];
    return [{ reference: target.slice(basePrefix.length), portableDataHash: mount.portable_data_hash }];
  });
}

/** What the server said is in a property: it is no part of what is built. */
function readAdded({ mounts, properties }: ContainerRequest): BuildRecipe['added'] {
  const { 'hm:added': facts } = properties;
  return Object.entries(mounts).flatMap(([target, mount]): AddedSource[] => {
    const url = target.slice(addedPrefix.length);
    const content = target.startsWith(addedPrefix) ? toContext(mount) : undefined;
    if (!content) return [];
    if ('commit' in content) return [{ ...content, url, repository: content.url }];
    const said = isJsonObject(facts) && isJsonObject(facts[url]) ? (facts[url] as JsonObject) : {};
    const names = { sha256: 'sha256', date: 'Date', lastModified: 'Last-Modified', etag: 'Etag' };
    const told = Object.entries(names).flatMap(([name, header]) => {
      const text = textProperty(said, header);
      return text === undefined ? [] : [[name, text]];
    });
    return [{ url, portableDataHash: content.portableDataHash, ...Object.fromEntries(told) }];
  });
}

function toContext(mount: Mount | undefined): BuildRecipe['context'] {
  if (mount?.kind === 'git_tree') {
    return { url: mount.url, commit: mount.commit, ...(mount.path === undefined ? {} : { path: mount.path }) };
  }
  if (mount?.kind !== 'collection' || !mount.portable_data_hash) return undefined;
  return { portableDataHash: mount.portable_data_hash, ...(mount.path === undefined ? {} : { path: mount.path }) };
}

/** Hex digits of the text in UTF-8. */
export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What git knew of the instructions, under arvados-cwl-runner's property names; undefined outside a work tree. */
export function readGitState(properties: JsonObject): GitState | undefined {
  const commit = textProperty(properties, 'arv:gitCommit');
  if (commit === undefined) return undefined;
  const { 'arv:gitStatus': status } = properties;
  const origin = textProperty(properties, 'arv:gitOrigin');
  const branch = textProperty(properties, 'arv:gitBranch');
  const describe = textProperty(properties, 'arv:gitDescribe');
  return {
    commit,
    ...(typeof status === 'string' ? { dirty: status !== '' } : {}),
    ...(origin === undefined ? {} : { origin }),
    ...(branch === undefined ? {} : { branch }),
    ...(describe === undefined ? {} : { describe }),
    ...(typeof status === 'string' && status !== '' ? { status } : {}),
  };
}

/** A property that is text and not empty. */
export function textProperty(properties: JsonObject, name: string): string | undefined {
  const value = properties[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
