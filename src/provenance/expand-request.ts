import type { ClusterApi } from '../api/port.ts';
import type { ContainerRequest } from '../api/records.ts';
import { isHallmarkError } from '../core/errors.ts';
import type { Uuid } from '../core/ids.ts';
import { readText } from '../keep/file-reader.ts';
import { stateOf } from './expand-container.ts';
import type { Expansion, Lead, ProvenanceServices, RequestTarget } from './expansion.ts';
import type { BuildNode, BuildRecipe, ContainerFacts, PullNode, RequestNode, RunNode } from './model.ts';
import {
  parseBuiltinCommand,
  purposeOf,
  readBuildRecipe,
  readGitState,
  runOf,
  sha256Of,
  textProperty,
} from './recipe.ts';
import { listAll, listCollections, listRequestsOf, readCollection } from './records.ts';

/** A Dockerfile is short; a longer one is not shown. */
const maxDockerfileBytes = 1024 * 1024;

/** A container request as what it was for: a build, a pull, a run or a step. Fails with `api/not-found`. */
export async function expandRequest(services: ProvenanceServices, target: RequestTarget): Promise<Expansion> {
  const request = await services.api.get('container_requests', target.id);
  switch (purposeOf(request)) {
    case 'build':
      return expandBuild(services, request);
    case 'pull':
      return expandPull(services.api, request);
    case 'run':
      return expandRun(services.api, request, target.kind === 'run' && target.isSubject === true);
    case 'step':
      return expandStep(services.api, request);
  }
}

async function expandStep(api: ClusterApi, request: ContainerRequest): Promise<Expansion> {
  const node: RequestNode = {
    kind: 'request',
    ...factsOf(request),
    command: request.command,
    reusedBy: await listReuses(api, request),
  };
  const run = runOf(request);
  const leads: Lead[] = [];
  if (request.container_uuid) {
    leads.push({ relation: 'ranAs', to: { kind: 'container', id: request.container_uuid, ...run } });
  }
  const first = textProperty(request.properties, 'hm:retryOf');
  if (first !== undefined) leads.push({ relation: 'retryOf', to: { kind: 'request', id: first as Uuid, ...run } });
  return { node, leads: [...leads, ...(await leadToRun(api, request))] };
}

/** `hm:run` names the run's own request; on a cluster the requesting container has one. */
async function leadToRun(api: ClusterApi, request: ContainerRequest): Promise<Lead[]> {
  const named = textProperty(request.properties, 'hm:run');
  if (named !== undefined) return [{ relation: 'partOf', to: { kind: 'run', id: named as Uuid } }];
  if (!request.requesting_container_uuid) return [];
  const [run] = await listRequestsOf(api, request.requesting_container_uuid);
  return run ? [{ relation: 'partOf', to: { kind: 'run', id: run.uuid } }] : [];
}

/** The steps of a run are shown when it is what was asked about; reached from a result, it is only where that ran. */
async function expandRun(api: ClusterApi, request: ContainerRequest, isSubject: boolean): Promise<Expansion> {
  const document = textProperty(request.properties, 'hm:document');
  const status = textProperty(request.properties, 'hm:status');
  const node: RunNode = {
    kind: 'run',
    ...factsOf(request),
    ...(document === undefined ? {} : { document }),
    ...(status === undefined ? {} : { status }),
  };
  if (!isSubject) return { node, leads: [] };
  const requests = await listStepsOf(api, request);
  return {
    node,
    leads: requests.map(({ uuid }) => ({ relation: 'step', to: { kind: 'request', id: uuid, run: request.uuid } })),
  };
}

async function listStepsOf(api: ClusterApi, run: ContainerRequest): Promise<ContainerRequest[]> {
  const named = await listAll(api, 'container_requests', { filters: [['properties.hm:run', '=', run.uuid]] });
  if (named.length > 0 || !run.container_uuid) return named;
  return listAll(api, 'container_requests', { filters: [['requesting_container_uuid', '=', run.container_uuid]] });
}

async function expandBuild(services: ProvenanceServices, request: ContainerRequest): Promise<Expansion> {
  const recipe = await withText(services, readBuildRecipe(request));
  const node: BuildNode = { kind: 'build', ...factsOf(request), ...recipe, ...(await ranAs(services.api, request)) };
  const run = runOf(request);
  const leads = recipe.bases.map(({ reference, portableDataHash }): Lead => {
    return { relation: 'base', label: reference, to: { kind: 'collection', id: portableDataHash, ...run } };
  });
  if (recipe.context && 'portableDataHash' in recipe.context) {
    leads.push({ relation: 'context', to: { kind: 'collection', id: recipe.context.portableDataHash, ...run } });
  }
  for (const added of recipe.added) {
    if (!('portableDataHash' in added)) continue;
    leads.push({ relation: 'added', label: added.url, to: { kind: 'collection', id: added.portableDataHash, ...run } });
  }
  return { node, leads: [...leads, ...(await leadToRun(services.api, request))] };
}

/** Reads a Dockerfile that lies in the context, where blocks can be read. */
async function withText({ api, blocks }: ProvenanceServices, recipe: BuildRecipe): Promise<BuildRecipe> {
  const { context, dockerfile } = recipe;
  if (!blocks || dockerfile.path === undefined || !context || !('portableDataHash' in context)) return recipe;
  const collection = await readCollection(api, context.portableDataHash);
  const path = [context.path ?? '', dockerfile.path]
    .join('/')
    .split('/')
    .filter((part) => part !== '');
  const file = collection?.files.get(path.join('/'));
  if (!file || file.sizeBytes > maxDockerfileBytes) return recipe;
  try {
    const text = await readText(blocks, file);
    return { ...recipe, dockerfile: { ...dockerfile, text, sha256: sha256Of(text) } };
  } catch (error) {
    if (isHallmarkError(error, 'keep/block-missing', 'keep/block-damaged')) return recipe;
    throw error;
  }
}

async function expandPull(api: ClusterApi, request: ContainerRequest): Promise<Expansion> {
  const { flags, operand = '' } = parseBuiltinCommand(request.command);
  const ran = await ranAs(api, request);
  const registryDigest = await findRegistryDigest(api, request);
  const platform = flags['--platform'];
  const node: PullNode = {
    kind: 'pull',
    ...factsOf(request),
    reference: operand,
    ...(platform === undefined ? {} : { platform }),
    ...(registryDigest === undefined ? {} : { registryDigest }),
    ...ran,
  };
  return { node, leads: await leadToRun(api, request) };
}

async function findRegistryDigest(api: ClusterApi, request: ContainerRequest): Promise<string | undefined> {
  const wanted = 'docker-image-digest';
  const told = textProperty(request.output_properties, wanted);
  if (told !== undefined || !request.container_uuid) return told;
  const container = await api.get('containers', request.container_uuid);
  const known = textProperty(container.output_properties, wanted);
  if (known !== undefined || !container.output) return known;
  const records = await listCollections(api, container.output);
  return records.map(({ properties }) => textProperty(properties, wanted)).find((digest) => digest !== undefined);
}

/** What a builtin request's container was, and who else took its result. */
async function ranAs(
  api: ClusterApi,
  request: ContainerRequest,
): Promise<{ readonly container?: ContainerFacts; readonly reusedBy: readonly Uuid[] }> {
  const reusedBy = await listReuses(api, request);
  if (!request.container_uuid) return { reusedBy };
  const container = await api.get('containers', request.container_uuid);
  return { container: { uuid: container.uuid, ...stateOf(container) }, reusedBy };
}

async function listReuses(api: ClusterApi, request: ContainerRequest): Promise<Uuid[]> {
  if (!request.container_uuid) return [];
  const requests = await listRequestsOf(api, request.container_uuid);
  return requests.map(({ uuid }) => uuid).filter((uuid) => uuid !== request.uuid);
}

function factsOf(request: ContainerRequest) {
  const git = readGitState(request.properties);
  return {
    id: request.uuid,
    name: request.name,
    createdAt: request.created_at,
    ...(git === undefined ? {} : { git }),
  };
}
