/** How one engine's program says what a build needs. */
export interface Dialect {
  readonly program: string;
  readonly version: readonly string[];
  readonly hint: string;
  /** For the program, beside the machine's own. */
  readonly environment: Readonly<Record<string, string>>;
  has(imageHash: string): readonly string[];
  tag(imageHash: string, name: string): readonly string[];
  untag(names: readonly string[]): readonly string[];
  /** Reads the archive in this file, which names its image. */
  load(file: string): readonly string[];
  build(build: EngineBuild): readonly string[];
  /** Writes the image to this file, in `docker save` form. */
  save(name: string, file: string): readonly string[];
}

export interface EngineBuild {
  readonly dockerfile: string;
  readonly contextDir: string;
  readonly ignoreFile?: string;
  readonly name: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Id → path of the file. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly target?: string;
  readonly platform?: string;
  /** Seconds since the epoch. */
  readonly clampSeconds: number;
}

export type EngineBuilderName = 'docker' | 'podman' | 'buildah';

const commonArgs = ({ dockerfile, name, buildArgs, secrets, target, platform }: EngineBuild): string[] => [
  ...['--file', dockerfile, '--tag', name, '--network', 'host'],
  ...Object.entries(buildArgs).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
  ...[...secrets].flatMap(([id, path]) => ['--secret', `id=${id},src=${path}`]),
  ...(target === undefined ? [] : ['--target', target]),
  ...(platform === undefined ? [] : ['--platform', platform]),
];

/** Podman builds with buildah's code. The time makes equal builds equal. */
const buildahArgs = (build: EngineBuild): string[] => [
  ...['--pull=never', '--layers', '--force-rm', '--format', 'docker', '--timestamp', String(build.clampSeconds)],
  ...(build.ignoreFile === undefined ? [] : ['--ignorefile', build.ignoreFile]),
  ...commonArgs(build),
  build.contextDir,
];

export const dialects: Readonly<Record<EngineBuilderName, Dialect>> = {
  docker: {
    program: 'docker',
    version: ['version', '--format', '{{.Server.Version}}'],
    hint: 'install docker, start its daemon, and let this user talk to it; or build with --builder=hallmark',
    environment: { DOCKER_BUILDKIT: '1' },
    has: (hash) => ['image', 'inspect', '--format', 'x', hash],
    tag: (hash, name) => ['tag', hash, name],
    untag: (names) => ['rmi', '--no-prune', ...names],
    load: (file) => ['load', '--quiet', '--input', file],
    build: (build) => ['build', '--progress', 'plain', ...commonArgs(build), build.contextDir],
    save: (name, file) => ['save', '--output', file, name],
  },
  podman: {
    program: 'podman',
    version: ['version', '--format', '{{.Client.Version}}'],
    hint: 'install podman, or build with --builder=hallmark',
    environment: {},
    has: (hash) => ['image', 'exists', hash],
    tag: (hash, name) => ['tag', hash, name],
    untag: (names) => ['untag', ...names],
    load: (file) => ['load', '--quiet', '--input', file],
    build: (build) => ['build', ...buildahArgs(build)],
    save: (name, file) => ['save', '--quiet', '--format', 'docker-archive', '--output', file, name],
  },
  buildah: {
    program: 'buildah',
    version: ['version'],
    hint: 'install buildah, or build with --builder=hallmark',
    environment: {},
    has: (hash) => ['inspect', '--type', 'image', '--format', 'x', hash],
    tag: (hash, name) => ['tag', hash, name],
    untag: (names) => ['rmi', ...names],
    load: (file) => ['pull', '--quiet', `docker-archive:${file}`],
    build: (build) => ['build', ...buildahArgs(build)],
    save: (name, file) => ['push', '--quiet', name, `docker-archive:${file}:${name}`],
  },
};
