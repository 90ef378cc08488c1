import type { ContainerWork, Mount, Mounts } from '../../api/records.ts';
import { crunchError } from '../errors.ts';
import { hostPrefix, isInside, relativeTo, toContainerPath } from '../paths.ts';

/** One thing that the container sees at `target`. */
export interface PlannedMount {
  readonly target: string;
  readonly mount: Mount;
  readonly secret: boolean;
  /** Below output_path: part of the output unless the record excludes it. */
  readonly inOutput: boolean;
  /** Another mount lies inside it, so that it needs a place for that one. */
  readonly hasInner: boolean;
}

export interface MountPlan {
  readonly outputPath: string;
  /** Parents first. The output directory itself is not among them unless it has a mount. */
  readonly mounts: readonly PlannedMount[];
  readonly stdin?: Mount;
  /** Paths in the container of the files that receive the streams. */
  readonly stdout?: string;
  readonly stderr?: string;
}

const streamTargets = new Set(['stdin', 'stdout', 'stderr']);

/** What the mounts of a record ask for, checked. Fails with `crunch/bad-mount`. */
export function planMounts(work: ContainerWork, secrets: Mounts): MountPlan {
  const outputPath = toContainerPath(work.output_path);
  const named = [
    ...Object.entries(work.mounts).map(([target, mount]) => ({ target, mount, secret: false })),
    ...Object.entries(secrets).map(([target, mount]) => ({ target, mount, secret: true })),
  ].filter(({ target, secret }) => secret || !streamTargets.has(target));
  const host = work.container_image === 'hallmark/host';
  for (const one of named) checkMount(one, host);
  const targets = named.map(({ target }) => toContainerPath(target));
  const mounts = named
    .map(({ mount, secret }, index): PlannedMount => {
      const target = targets[index] ?? '/';
      return { target, mount, secret, inOutput: isBelow(target, outputPath), hasInner: hasInner(target, targets) };
    })
    .sort((a, b) => depth(a.target) - depth(b.target) || (a.target < b.target ? -1 : 1));
  checkDistinct(mounts);
  if (host && !isInside(outputPath, hostPrefix)) throw outsideHost('output_path', outputPath);
  return { outputPath, mounts, ...planStreams(work.mounts, mounts, outputPath) };
}

const isBelow = (path: string, directory: string): boolean => path !== directory && isInside(path, directory);
const depth = (path: string): number => path.split('/').length;
const hasInner = (target: string, targets: readonly string[]): boolean =>
  targets.length > 1 && targets.some((other) => isBelow(other, target));

function checkMount(one: { target: string; mount: Mount; secret: boolean }, host: boolean): void {
  const { target, mount, secret } = one;
  const refuse = (problem: string, hint: string) =>
    crunchError('crunch/bad-mount', `mount ${JSON.stringify(target)}: ${problem}`, {
      hint,
      where: { field: 'mounts' },
    });
  if (!target.startsWith('/')) {
    throw refuse(
      'expected an absolute path, "stdin", "stdout" or "stderr"',
      'name the mount by its path in the container',
    );
  }
  if (target.includes('\0')) throw refuse('the path holds a zero byte', 'rename the file');
  if (mount.kind === 'file') {
    throw refuse('kind "file" is for stdin, stdout and stderr only', 'use a collection, text or json mount');
  }
  if (secret && mount.kind !== 'text' && mount.kind !== 'json') {
    throw refuse(`expected kind "text" or "json" in secret_mounts, got ${JSON.stringify(mount.kind)}`, 'use mounts');
  }
  if (host && !isInside(toContainerPath(target), hostPrefix)) throw outsideHost(`mount`, target);
}

function outsideHost(what: string, path: string) {
  return crunchError('crunch/bad-mount', `${what}: expected a path under ${hostPrefix}, got ${JSON.stringify(path)}`, {
    hint: 'a container on the host has no file system of its own: name a docker image for fixed paths',
    where: { field: what },
  });
}

function checkDistinct(mounts: readonly PlannedMount[]): void {
  mounts.forEach((mount, index) => {
    if (mounts[index + 1]?.target !== mount.target) return;
    throw crunchError('crunch/bad-mount', `two mounts have the path ${JSON.stringify(mount.target)}`, {
      hint: 'a path is in mounts or in secret_mounts, once',
      where: { field: 'mounts' },
    });
  });
}

/** Whether the innermost mount around `path` keeps the container from writing there. */
function isReadOnly(path: string, placed: readonly PlannedMount[]): boolean {
  const mount = placed.findLast(({ target }) => isInside(path, target));
  if (mount === undefined || !mount.inOutput) return false;
  return (
    mount.secret || mount.mount.kind === 'git_tree' || (mount.mount.kind === 'collection' && !mount.mount.writable)
  );
}

function planStreams(mounts: Mounts, placed: readonly PlannedMount[], outputPath: string) {
  const into = (name: 'stdout' | 'stderr'): string | undefined => {
    const mount = mounts[name];
    if (mount === undefined) return undefined;
    const path = mount.kind === 'file' ? toContainerPath(mount.path) : '';
    if (mount.kind === 'file' && isReadOnly(path, placed)) {
      throw crunchError(
        'crunch/bad-mount',
        `${name}: ${JSON.stringify(mount.path)} lies in a mount that is read-only`,
        {
          hint: 'redirect the stream to another path, or make the mount writable',
          where: { field: 'mounts' },
        },
      );
    }
    if (mount.kind === 'file' && isBelow(path, outputPath)) return path;
    const got = mount.kind === 'file' ? JSON.stringify(mount.path) : `kind ${JSON.stringify(mount.kind)}`;
    throw crunchError('crunch/bad-mount', `${name}: expected kind "file" with a path under ${outputPath}, got ${got}`, {
      hint: 'redirect the stream into the output directory',
      where: { field: 'mounts' },
    });
  };
  const stdin = mounts.stdin;
  const stdout = into('stdout');
  const stderr = into('stderr');
  if (stdin?.kind === 'tmp' || stdin?.kind === 'git_tree') {
    throw crunchError('crunch/bad-mount', `stdin: expected a file, got kind ${JSON.stringify(stdin.kind)}`, {
      hint: 'use kind "collection" with a path, "text", "json", or "file" with a path inside another mount',
      where: { field: 'mounts' },
    });
  }
  return { ...(stdin && { stdin }), ...(stdout && { stdout }), ...(stderr && { stderr }) };
}

/** The bytes of a text or json mount. */
export function literalContent(mount: { kind: 'text'; content: string } | { kind: 'json'; content: unknown }): string {
  return mount.kind === 'text' ? mount.content : JSON.stringify(mount.content);
}

/** `path` of a collection mount as the collection names it: no slash at either end. Fails with `crunch/bad-mount`. */
export function pathInCollection(mount: { readonly path?: string }): string {
  const path = (mount.path ?? '').replace(/^(\.?\/)+|\/+$/g, '');
  const normal = relativeTo(toContainerPath(path), '/');
  if (normal === path.replace(/(^|\/)\.$/, '')) return normal;
  throw crunchError('crunch/bad-mount', `expected a normal path in a collection, got ${JSON.stringify(mount.path)}`, {
    hint: 'write it without "." and ".."',
    where: { field: 'mounts' },
  });
}
