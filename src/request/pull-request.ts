import { builtinImage, type ContainerRequest } from '../api/records.ts';
import { gib, mib } from '../core/units.ts';
import { requestError } from './errors.ts';

export interface BuiltinOptions {
  readonly name?: string;
  readonly priority?: number;
  /** False: an earlier pull or build of the same does not answer the request. */
  readonly reuse?: boolean;
  readonly ramBytes?: number;
  readonly vcpus?: number;
}

/** A builtin `docker pull` of the image whose reference is written so (design 4.2). */
export function toPullRequest(reference: string, options: BuiltinOptions = {}): Partial<ContainerRequest> {
  if (reference === '' || reference.startsWith('-') || /[\s\0]/.test(reference)) {
    throw requestError('request/bad-image', `expected an image reference, got ${JSON.stringify(reference)}`, {
      hint: 'write it as name:tag or name@sha256:…',
    });
  }
  return {
    ...toBuiltin({ ramBytes: 256 * mib, vcpus: 1, name: `docker pull ${reference}`, ...options }),
    command: ['docker', 'pull', reference],
    environment: {},
    mounts: {},
  };
}

/** What pull and build requests have in common. */
export function toBuiltin(options: BuiltinOptions & { readonly name: string }): Partial<ContainerRequest> {
  return {
    name: options.name,
    state: 'Committed',
    priority: options.priority ?? 500,
    container_image: builtinImage,
    cwd: '/',
    output_path: '/',
    output_name: `Output from ${options.name}`.replaceAll('/', ' '),
    runtime_constraints: { API: true, vcpus: options.vcpus ?? 1, ram: options.ramBytes ?? gib },
    use_existing: options.reuse !== false,
  };
}
