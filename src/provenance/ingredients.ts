import type { ClusterApi, Filter } from '../api/port.ts';
import { builtinImage, type ContainerRequest } from '../api/records.ts';
import { isPortableDataHash, type PortableDataHash, type Uuid } from '../core/ids.ts';
import { provenanceError } from './errors.ts';
import { purposeOf, readBuildRecipe, textProperty } from './recipe.ts';
import { listAll } from './records.ts';
import { resolveSubject } from './subject.ts';

/** What a result may have been made with. Exactly one is given. */
export type Ingredient =
  /** `repository:tag`, image hash, registry digest, portable data hash, or the `dockerImageId` of a build. */
  | { readonly image: string }
  /** The same, of a FROM; also as it was written there. */
  | { readonly base: string }
  /** The sha256 of the text of a Dockerfile, or at least its first 7 digits. */
  | { readonly dockerfile: string }
  /** A git commit, or at least its first 7 digits. */
  | { readonly commit: string }
  /** A file of this machine, a portable data hash, the uuid of a collection, or the URL that something was downloaded from. */
  | { readonly input: string };

/** Where the walk to the results begins. */
export interface Origins {
  /** Content that was used. */
  readonly contents: readonly PortableDataHash[];
  /** Containers that are themselves affected. */
  readonly containers: readonly Uuid[];
}

/** Fails with `provenance/not-found`, and with `provenance/bad-subject` for an ingredient that cannot be one. */
export async function findIngredient(api: ClusterApi, ingredient: Ingredient): Promise<Origins> {
  if ('image' in ingredient)
    return found(`image ${ingredient.image}`, { contents: await findImages(api, ingredient.image) });
  if ('base' in ingredient) return found(`base ${ingredient.base}`, await findBase(api, ingredient.base));
  if ('dockerfile' in ingredient) {
    return found(`Dockerfile ${ingredient.dockerfile}`, await findDockerfile(api, ingredient.dockerfile));
  }
  if ('commit' in ingredient) return found(`commit ${ingredient.commit}`, await findCommit(api, ingredient.commit));
  return found(`input ${ingredient.input}`, { contents: await findInput(api, ingredient.input) });
}

function found(what: string, { contents = [], containers = [] }: Partial<Origins>): Origins {
  if (contents.length + containers.length > 0) return { contents, containers };
  throw provenanceError('provenance/not-found', `no record of the cluster names ${what}`, {
    hint: 'check the spelling, and that the cluster is the one it was used on',
  });
}

/**
 * Every archive of the image, the newest last: one image has several when it was archived more than once. A name that no image has may
 * be the `dockerImageId` that builds were asked for under: then the images that they made. None where nothing has the name.
 */
export async function findImages(api: ClusterApi, name: string): Promise<PortableDataHash[]> {
  const found = await findNamedImages(api, name);
  return found.length > 0 ? found : findBuiltImages(api, name);
}

async function findNamedImages(api: ClusterApi, name: string): Promise<PortableDataHash[]> {
  const filters: Filter[] = isPortableDataHash(name)
    ? [['portable_data_hash', '=', name]]
    : ['docker-image-repo-tag', 'docker-image-hash', 'docker-image-digest'].map((property) => [
        `properties.${property}`,
        'in',
        [name, `${name}:latest`, `sha256:${name}`],
      ]);
  const named = (await Promise.all(filters.map((filter) => listAll(api, 'collections', { filters: [filter] })))).flat();
  const hashes = new Set(named.map(({ properties }) => textProperty(properties, 'docker-image-hash')));
  hashes.delete(undefined);
  const twins = await listAll(api, 'collections', { filters: [['properties.docker-image-hash', 'in', [...hashes]]] });
  return [...new Set([...named, ...twins].map((record) => record.portable_data_hash))];
}

async function findBuiltImages(api: ClusterApi, name: string): Promise<PortableDataHash[]> {
  const builds = (await listBuilds(api)).filter((request) => request.name === `build ${name}`);
  const { containers = [] } = toContainers(builds);
  const ended = await listAll(api, 'containers', {
    filters: [
      ['uuid', 'in', containers],
      ['state', '=', 'Complete'],
    ],
  });
  return [...new Set(ended.map(({ output }) => output).filter((output) => output !== null))];
}

/** An image in Keep, with all of its archives. */
export interface StoredImage {
  readonly imageHash: string;
  /** `repository:tag`, each name it has. */
  readonly names: readonly string[];
  readonly contents: readonly [PortableDataHash, ...PortableDataHash[]];
}

/** Every image that the cluster holds, the oldest first. */
export async function listImages(api: ClusterApi): Promise<StoredImage[]> {
  const records = await listAll(api, 'collections', { filters: [['properties.docker-image-hash', 'exists', true]] });
  const groups = Map.groupBy(records, ({ properties }) => textProperty(properties, 'docker-image-hash') ?? '');
  return [...groups].flatMap(([imageHash, group]) => {
    const [first, ...others] = new Set(group.map((record) => record.portable_data_hash));
    const tags = group.map(({ properties }) => textProperty(properties, 'docker-image-repo-tag'));
    const names = [...new Set(tags.filter((tag) => tag !== undefined))];
    return first === undefined ? [] : [{ imageHash, names, contents: [first, ...others] as const }];
  });
}

/** Builds that took it, so that steps that ran in the base itself are left out. */
async function findBase(api: ClusterApi, name: string): Promise<Partial<Origins>> {
  const images = new Set(await findImages(api, name));
  const builds = await listBuilds(api);
  return toContainers(
    builds.filter((request) =>
      readBuildRecipe(request).bases.some(
        ({ reference, portableDataHash }) => reference === name || images.has(portableDataHash),
      ),
    ),
  );
}

async function findDockerfile(api: ClusterApi, sha256: string): Promise<Partial<Origins>> {
  const wanted = checkHex(sha256.replace(/^sha256:/, ''), 'a Dockerfile, or the sha256 of one');
  const builds = await listBuilds(api);
  return toContainers(builds.filter((request) => readBuildRecipe(request).dockerfile.sha256?.startsWith(wanted)));
}

/** Builds and runs read from a work tree at this commit, of a run every step; builds that copy from this commit of a repository. */
async function findCommit(api: ClusterApi, commit: string): Promise<Partial<Origins>> {
  const wanted = checkHex(commit, 'a git commit');
  const requests = await listAll(api, 'container_requests', {
    filters: [['properties.arv:gitCommit', 'like', `${wanted}%`]],
  });
  const runs = requests.filter((request) => purposeOf(request) === 'run').map(({ uuid }) => uuid);
  const steps = await listAll(api, 'container_requests', { filters: [['properties.hm:run', 'in', runs]] });
  const fromContext = (await listBuilds(api)).filter((request) => {
    const { context, added } = readBuildRecipe(request);
    return [context, ...added].some((source) => source && 'commit' in source && source.commit.startsWith(wanted));
  });
  const all = [...requests, ...fromContext, ...steps.filter((request) => purposeOf(request) === 'step')];
  return toContainers(all.filter((request) => purposeOf(request) !== 'pull'));
}

async function findInput(api: ClusterApi, text: string): Promise<PortableDataHash[]> {
  if (/^https?:\/\//.test(text)) {
    const downloads = await listAll(api, 'collections', { filters: [['properties', 'exists', text]] });
    return [...new Set(downloads.map((record) => record.portable_data_hash))];
  }
  const subject = await resolveSubject(api, text);
  if (subject.kind === 'collection') return [subject.portableDataHash];
  if (subject.kind === 'file') return [...new Set(subject.places.map((place) => place.portableDataHash))];
  throw provenanceError(
    'provenance/bad-subject',
    `expected a file, a portable data hash or a collection, got ${text}`,
    {
      hint: `cwl-runner provenance ${text} shows where its results come from`,
    },
  );
}

function listBuilds(api: ClusterApi): Promise<ContainerRequest[]> {
  return listAll(api, 'container_requests', { filters: [['container_image', '=', builtinImage]] }).then((requests) =>
    requests.filter((request) => purposeOf(request) === 'build'),
  );
}

function toContainers(requests: readonly ContainerRequest[]): Partial<Origins> {
  const uuids = requests.map((request) => request.container_uuid).filter((uuid) => uuid !== null);
  return { containers: [...new Set(uuids)] };
}

function checkHex(text: string, what: string): string {
  if (/^[0-9a-f]{7,64}$/.test(text)) return text;
  throw provenanceError(
    'provenance/bad-subject',
    `expected ${what}, at least 7 hex digits, got ${JSON.stringify(text)}`,
  );
}
