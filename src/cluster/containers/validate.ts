import { apiError } from '../../api/errors.ts';
import { builtinImage, type ContainerRequest, type Mount, type Mounts } from '../../api/records.ts';
import { isPortableDataHash, isUuid } from '../../core/ids.ts';
import { isJsonObject } from '../../core/json.ts';
import { show } from '../store/attributes.ts';
import { validateBuiltin } from './builtin.ts';

/** Fails with `api/bad-attribute` where a rule of the API is broken. An uncommitted request may still be incomplete. */
export function validateRequest(request: ContainerRequest): void {
  const { state, priority } = request;
  if (!['Uncommitted', 'Committed', 'Final'].includes(state)) throw bad('state', 'Uncommitted or Committed', state);
  if (priority < 0 || priority > 1000) throw bad('priority', 'from 0 to 1000', priority);
  const max = request.container_count_max;
  const least = Math.max(1, request.container_count);
  if (max < least) throw bad('container_count_max', `at least ${least}`, max);
  if (request.output_ttl < 0) throw bad('output_ttl', 'seconds, at least 0', request.output_ttl);
  validateMounts('mounts', request.mounts);
  validateMounts('secret_mounts', request.secret_mounts);
  if (state === 'Committed') validateWork(request);
}

function validateWork(request: ContainerRequest): void {
  const isText = (value: unknown) => typeof value === 'string';
  const { command, environment, output_glob, runtime_constraints: constraints } = request;
  if (command.length === 0 || !command.every(isText)) throw bad('command', 'at least one string', command);
  if (!Object.values(environment).every(isText)) throw bad('environment', 'strings by name', environment);
  if (!output_glob.every(isText)) throw bad('output_glob', 'an array of strings', output_glob);
  if (request.container_image === '') throw bad('container_image', 'the image to run in', '');
  for (const name of ['ram', 'vcpus'] as const) {
    const amount: unknown = constraints[name];
    if (!Number.isSafeInteger(amount) || Number(amount) <= 0) {
      throw bad(`runtime_constraints.${name}`, 'an integer above 0', amount);
    }
  }
  const cores: unknown = request.scheduling_parameters['hm:cores'] ?? constraints.vcpus;
  if (!(typeof cores === 'number' && cores >= 0 && cores <= constraints.vcpus)) {
    throw bad('scheduling_parameters["hm:cores"]', `a number from 0 to vcpus, ${constraints.vcpus}`, cores);
  }
  if (request.container_image === builtinImage) validateBuiltin(request);
  else if (!Object.hasOwn(request.mounts, request.output_path)) {
    throw bad('output_path', 'one of the targets of mounts', request.output_path);
  }
}

const streams = new Set(['stdin', 'stdout', 'stderr']);

function validateMounts(field: 'mounts' | 'secret_mounts', mounts: Mounts): void {
  for (const [target, mount] of Object.entries(mounts)) {
    const where = `${field}[${JSON.stringify(target)}]`;
    if (!target.startsWith('/') && !streams.has(target)) {
      throw bad(where, 'at an absolute path, stdin, stdout or stderr', target);
    }
    if (!isJsonObject(mount)) throw bad(where, 'an object', mount);
    const problem = mountProblem(mount);
    if (problem !== undefined) throw bad(where, problem, mount);
    if (field === 'secret_mounts' && mount.kind !== 'text' && mount.kind !== 'json') {
      throw bad(`${where}.kind`, 'text or json', mount.kind);
    }
  }
}

/** What was expected of a mount that is wrong (Arvados API, "Mount types"). */
function mountProblem(mount: Mount): string | undefined {
  switch (mount.kind) {
    case 'collection': {
      const { portable_data_hash: content, uuid } = mount;
      if (content !== undefined && !isPortableDataHash(content)) return 'a portable data hash';
      return uuid !== undefined && !isUuid(uuid) ? 'the uuid of a collection' : undefined;
    }
    case 'tmp':
      return Number.isSafeInteger(mount.capacity) && mount.capacity > 0
        ? undefined
        : 'a tmp with a whole capacity above 0';
    case 'text':
      return typeof mount.content === 'string' ? undefined : 'a text with a string as content';
    case 'json':
      return mount.content === undefined ? 'a json with a content' : undefined;
    case 'file':
      return typeof mount.path === 'string' ? undefined : 'a file with a path in the container';
    case 'git_tree':
      return typeof mount.url === 'string' && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(mount.commit ?? '')
        ? undefined
        : 'a git_tree with a url and a whole commit hash';
    default:
      return 'of kind collection, tmp, text, json, file or git_tree';
  }
}

const bad = (field: string, expected: string, got: unknown) =>
  apiError('api/bad-attribute', `container_requests: expected ${field} to be ${expected}, got ${show(got)}`, {
    where: { field },
  });
