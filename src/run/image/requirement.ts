import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JsonValue } from '../../core/json.ts';
import { isJsonObject, toCanonicalJson } from '../../core/json.ts';
import type { Position, Requirement } from '../../cwl/model.ts';
import type { CwlDirectory } from '../../cwl/values.ts';
import { runError } from '../errors.ts';

export const imageBuildClass = 'urn:hallmark:cwl#ImageBuild';
const arvadosImage = 'http://arvados.org/cwl#dockerCollectionPDH';

/** Where the image of a step comes from (design 4.4), read from DockerRequirement and the hint hm:ImageBuild. */
export type ImageSource =
  | { readonly kind: 'collection'; readonly portableDataHash: string }
  | { readonly kind: 'pull'; readonly reference: string }
  | { readonly kind: 'build'; readonly instructions: BuildInstructions }
  /** A file of the host: an archive of `docker save`, or a root file system. `location` is a URI. */
  | {
      readonly kind: 'load' | 'import';
      readonly location: string;
      readonly imageId?: string;
      readonly position: Position;
    }
  | { readonly kind: 'id'; readonly imageId: string };

export interface BuildInstructions {
  /** Text of the Dockerfile; absent: it is `dockerfile` in the context. */
  readonly text?: string;
  readonly dockerfile: string;
  /** A Directory, or a `keep:` or git URL. */
  readonly context?: CwlDirectory | string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
  /** A name for people. */
  readonly imageId?: string;
  /** Where the instructions stand, for messages and for the facts of their work tree. */
  readonly position: Position;
}

/** What people know the image by: the name that it is given, else where its Dockerfile lies. */
export function nameOfBuild({ imageId, text, dockerfile, context, position }: BuildInstructions): string {
  if (imageId !== undefined) return imageId;
  const place = typeof context === 'string' ? context : context?.location;
  const within = (text === undefined ? place : undefined) ?? position.file;
  return `${dockerfile} of ${basename(within.replace(/\/\.git(?=#|$)/, ''))}`;
}

/** Undefined where the step asks for no container. */
export function toImageSource(
  docker: Requirement | undefined,
  build: Requirement | undefined,
): ImageSource | undefined {
  const text = stringField(docker, 'dockerFile');
  const imageId = stringField(docker, 'dockerImageId');
  if (build || text !== undefined) return { kind: 'build', instructions: toInstructions(docker, build, text, imageId) };
  if (!docker) return undefined;
  const portableDataHash = stringField(docker, arvadosImage) ?? stringField(docker, 'dockerCollectionPDH');
  if (portableDataHash) return { kind: 'collection', portableDataHash };
  const named = imageId === undefined ? {} : { imageId };
  const load = stringField(docker, 'dockerLoad');
  if (load) return { kind: 'load', location: toLocation(load, docker.position), ...named, position: docker.position };
  const importFrom = stringField(docker, 'dockerImport');
  if (importFrom)
    return { kind: 'import', location: toLocation(importFrom, docker.position), ...named, position: docker.position };
  const reference = stringField(docker, 'dockerPull');
  if (reference) return { kind: 'pull', reference };
  if (imageId) return { kind: 'id', imageId };
  throw runError('run/bad-requirement', 'DockerRequirement names no image', {
    hint: 'give dockerPull, dockerFile, dockerLoad, dockerImport or dockerImageId',
    where: docker.position,
  });
}

/** Equal for sources that come to the same image: a name for people is no part of what is built. */
export function toSourceKey(source: ImageSource): string {
  if (source.kind === 'build') {
    const { imageId: _imageId, position: _position, ...content } = source.instructions;
    return toCanonicalJson(content);
  }
  const { position: _position, ...content } = { position: undefined, ...source };
  return toCanonicalJson(content);
}

/** Relative to the document, as every other reference in it. */
function toLocation(reference: string, { file }: Position): string {
  const base = file.startsWith('/') ? pathToFileURL(file).href : file;
  return URL.canParse(reference) ? reference : new URL(encodeURI(reference), base).href;
}

function toInstructions(
  docker: Requirement | undefined,
  build: Requirement | undefined,
  text: string | undefined,
  imageId: string | undefined,
): BuildInstructions {
  const context = build?.fields.context;
  const target = stringField(build, 'target');
  const platform = stringField(build, 'platform');
  const position = (build ?? docker)?.position ?? { file: '', line: 1, column: 1 };
  if (text === undefined && context === undefined) {
    throw runError('run/bad-requirement', 'hm:ImageBuild needs a context, or a dockerFile in DockerRequirement', {
      where: position,
    });
  }
  return {
    ...(text === undefined ? {} : { text }),
    ...(context === undefined ? {} : { context: toContext(context, position) }),
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
    ...(imageId === undefined ? {} : { imageId }),
    dockerfile: stringField(build, 'dockerfile') ?? 'Dockerfile',
    buildArgs: toBuildArgs(build?.fields.buildArgs, position),
    position,
  };
}

function toContext(context: JsonValue, position: Position): CwlDirectory | string {
  if (typeof context === 'string') return context;
  if (isJsonObject(context) && context.class === 'Directory') return context as CwlDirectory;
  throw runError(
    'run/bad-requirement',
    `expected a Directory or a URL as context of hm:ImageBuild, got ${JSON.stringify(context)}`,
    {
      where: position,
    },
  );
}

function toBuildArgs(value: JsonValue | undefined, position: Position): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) {
    throw runError(
      'run/bad-requirement',
      `expected a map of names to strings as buildArgs, got ${JSON.stringify(value)}`,
      { where: position },
    );
  }
  for (const [name, argument] of Object.entries(value)) {
    if (typeof argument !== 'object') continue;
    throw runError(
      'run/bad-requirement',
      `expected a string as build argument ${name}, got ${JSON.stringify(argument)}`,
      { where: position },
    );
  }
  return Object.fromEntries(Object.entries(value).map(([name, argument]) => [name, String(argument)]));
}

function stringField(requirement: Requirement | undefined, name: string): string | undefined {
  const value = requirement?.fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
