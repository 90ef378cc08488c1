import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { readTar } from '../../../src/image/tar/read.ts';
import { streamSource } from '../../../src/image/tar/source.ts';
import type { BuildCase } from './cases.ts';

/** What two builders shall agree on. */
export interface Built {
  /** `path` → `type mode uid:gid content`. */
  readonly tree: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Engine {
  readonly name: string;
  importBase(tar: Buffer): void;
  build(contextDir: string, each: BuildCase): Promise<Built>;
}

/** What the engine itself puts into a container. */
const engineFiles = /^(dev|proc|sys)(\/|$)|^(\.dockerenv|etc|etc\/(hosts|hostname|resolv\.conf|mtab))$/;

export const describeEntry = (type: string, mode: number, uid: number, gid: number, content: string): string =>
  `${type} ${type === 'symlink' ? '' : mode.toString(8)} ${uid}:${gid} ${content}`;

/** The docker of this machine, with BuildKit or, `classic`, the builder before it; undefined where none answers. */
export function findDocker(kind: 'buildkit' | 'classic'): Engine | undefined {
  const docker = process.env.HALLMARK_TEST_DOCKER ?? 'docker';
  const environment = { ...process.env, DOCKER_BUILDKIT: kind === 'buildkit' ? '1' : '0' };
  const call = (args: readonly string[], input?: Buffer) =>
    execFileSync(docker, args, {
      env: environment,
      maxBuffer: 1 << 28,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(input && { input }),
    });
  if (spawnSync(docker, ['info'], { stdio: 'ignore', timeout: 10_000 }).status !== 0) return undefined;
  return {
    name: `docker (${kind})`,
    importBase: (tar) => void call(['import', '-c', 'ENV PATH=/bin', '-', 'base'], tar),
    async build(contextDir, each) {
      const args = Object.entries(each.buildArgs ?? {}).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
      const target = each.target ? ['--target', each.target] : [];
      const idFile = join(contextDir, '..', `${kind}.iid`);
      call([
        'build',
        '--network=none',
        '--iidfile',
        idFile,
        '-f',
        join(contextDir, '..', 'Dockerfile'),
        ...args,
        ...target,
        contextDir,
      ]);
      const id = readFileSync(idFile, 'utf8').trim();
      const container = call(['create', id, '/nothing']).toString().trim();
      try {
        const tar = call(['export', container]);
        const [image] = JSON.parse(call(['inspect', id]).toString()) as { Config: Record<string, unknown> }[];
        return { tree: await readTree(tar), config: image?.Config ?? {} };
      } finally {
        call(['rm', container]);
      }
    },
  };
}

async function readTree(tar: Buffer): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for await (const member of readTar(streamSource(Readable.from([tar])))) {
    const path = member.path.replace(/^\.?\//, '').replace(/\/$/, '');
    if (path === '' || engineFiles.test(path)) continue;
    const content =
      member.type === 'file' ? Buffer.concat(await Array.fromAsync(member.content())).toString() : member.linkPath;
    tree[path] = describeEntry(member.type, member.mode, member.uid, member.gid, content);
  }
  return tree;
}

export const isEngineFile = (path: string): boolean => engineFiles.test(path);
