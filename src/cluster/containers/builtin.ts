import { apiError } from '../../api/errors.ts';
import type { ContainerRequest, Mount } from '../../api/records.ts';
import { show } from '../store/attributes.ts';

/** The rules of builtin requests: design 4.2 for `docker pull`, 4.3 for `docker build`. The message names the broken one. */
export function validateBuiltin(request: ContainerRequest): void {
  const [program, subcommand] = request.command;
  if (program !== 'docker' || (subcommand !== 'pull' && subcommand !== 'build')) {
    throw broken('command', '["docker","pull",…] or ["docker","build",…]', request.command);
  }
  if (request.output_path !== '/') throw broken('output_path', '"/"', request.output_path);
  if (subcommand === 'pull') validatePull(request);
  else validateBuild(request);
}

function validatePull(request: ContainerRequest): void {
  const { command, mounts, secret_mounts: secrets, runtime_constraints: constraints } = request;
  const [, , reference = ''] = command;
  if (command.length !== 3 || reference === '' || reference.startsWith('-') || /\s/.test(reference)) {
    throw broken('command', '["docker","pull","<image reference>"]', command);
  }
  if (Object.keys(mounts).length > 0) throw broken('mounts', '{} for docker pull', mounts);
  if (Object.keys(secrets).length > 0) throw broken('secret_mounts', '{} for docker pull', Object.keys(secrets));
  if (constraints.API !== true) throw broken('runtime_constraints.API', 'true for docker pull', constraints.API);
}

function validateBuild(request: ContainerRequest): void {
  const { command, mounts } = request;
  if (!isBuildCommand(command.slice(2))) {
    throw broken('command', '["docker","build"], --target and --platform, and one Dockerfile or URL', command);
  }
  for (const [target, mount] of Object.entries(mounts)) {
    const [kinds, what] = buildMountKinds(target);
    if (kinds.includes(mount.kind)) continue;
    throw broken(`mounts[${JSON.stringify(target)}].kind`, what, mount.kind);
  }
}

function buildMountKinds(target: string): readonly [kinds: readonly Mount['kind'][], what: string] {
  if (target === '/') return [['collection', 'git_tree'], 'collection or git_tree for the context of docker build'];
  if (target === '/ADD') return [['json'], 'json (times of what is added) for docker build'];
  if (target.startsWith('/ADD/'))
    return [['collection', 'git_tree'], 'collection or git_tree (what ADD fetches) for docker build'];
  return [['collection', 'text'], 'collection (a base image) or text (a Dockerfile) for docker build'];
}

/** Flags with their values in any order, and at most one other word. */
function isBuildCommand(words: readonly string[]): boolean {
  const rest = [...words];
  let paths = 0;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--target' || word === '--platform') {
      if (!rest.shift()) return false;
    } else if (!/^--(target|platform)=./.test(word)) {
      if (word === '' || word.startsWith('-')) return false;
      paths += 1;
    }
  }
  return paths <= 1;
}

const broken = (field: string, expected: string, got: unknown) =>
  apiError('api/bad-attribute', `builtin request: expected ${field} to be ${expected}, got ${show(got)}`, {
    hint: 'see the rules of builtin requests in docs/builtin-requests.md',
    where: { field },
  });
