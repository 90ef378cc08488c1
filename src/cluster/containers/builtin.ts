import { apiError } from '../../api/errors.ts';
import type { ContainerRequest } from '../../api/records.ts';
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
  if (command.length > 3 || command[2] === '' || command[2]?.startsWith('-')) {
    throw broken('command', '["docker","build"] or ["docker","build","<Dockerfile or URL>"]', command);
  }
  for (const [target, mount] of Object.entries(mounts)) {
    const where = `mounts[${JSON.stringify(target)}].kind`;
    const isContext = target === '/';
    if (isContext && mount.kind !== 'collection' && mount.kind !== 'git_tree') {
      throw broken(where, 'collection or git_tree for the context of docker build', mount.kind);
    }
    if (!isContext && mount.kind !== 'collection' && mount.kind !== 'text') {
      throw broken(where, 'collection (a base image) or text (a Dockerfile) for docker build', mount.kind);
    }
  }
}

const broken = (field: string, expected: string, got: unknown) =>
  apiError('api/bad-attribute', `builtin request: expected ${field} to be ${expected}, got ${show(got)}`, {
    hint: 'see "Pull" and "Build" of the embedded cluster\'s documentation',
    where: { field },
  });
