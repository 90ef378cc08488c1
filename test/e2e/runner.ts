import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Cluster, openCluster } from '../../src/cluster/cluster.ts';
import { openDiskBlockStore } from '../../src/keep/disk/disk-store.ts';
import { openFile } from '../../src/keep/file-reader.ts';
import { removeTree } from '../../src/keep/remove-tree.ts';
import { readCollection } from '../../src/run/collections.ts';
import { toLoadableImage } from '../contract/executor-images.ts';
import { toolsLayer } from '../contract/layers.ts';
import { type FakeRegistry, type FakeRegistryOptions, startRegistry } from '../fakes/registry.ts';

const main = join(import.meta.dirname, '../../src/cli/main.ts');

export interface Ended {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What starts the runner, in place of nothing: `['unshare', '--user']`. */
  readonly through?: readonly string[];
  readonly spawn?: SpawnOptions;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** The runner as people start it, with a home and a folder of its own. */
export interface Runner {
  readonly folder: string;
  readonly home: string;
  /** Writes a file in the folder, and gives its path. */
  write(name: string, content: string): string;
  start(args: readonly string[], options?: StartOptions): Started;
  run(args: readonly string[], options?: StartOptions): Promise<Ended>;
  /** Looks into the records of the home. */
  withRecords<T>(look: (cluster: Cluster) => Promise<T>): Promise<T>;
  remove(): Promise<void>;
}

export function createRunner(name: string): Runner {
  const folder = mkdtempSync(join(tmpdir(), `hallmark-${name}-`));
  const home = join(folder, 'home');
  mkdirSync(home);
  const start: Runner['start'] = (args, options = {}) => {
    const [program = '', ...rest] = [...(options.through ?? []), process.execPath, ...nodeFlags, main, ...args];
    const env = { ...cleanEnvironment(folder), HALLMARK_HOME: home, ...options.env };
    const child = spawn(program, rest, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], ...options.spawn });
    return { child, ended: collect(child) };
  };
  return {
    folder,
    home,
    write(path, content) {
      writeFileSync(join(folder, path), content);
      return join(folder, path);
    },
    start,
    run: (args, options) => start(args, options).ended,
    async withRecords(look) {
      const cluster = openCluster({ path: join(home, 'cluster.sqlite') });
      try {
        return await look(cluster);
      } finally {
        cluster.close();
      }
    },
    remove: () => removeTree(folder),
  };
}

const nodeFlags = ['--disable-warning=ExperimentalWarning', '--disable-warning=DEP0040'];

/** Nothing of the caller's registries, logins and homes. */
function cleanEnvironment(folder: string): Record<string, string> {
  const registries = join(folder, 'registries.conf');
  writeFileSync(registries, '');
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: folder,
    NODE_COMPILE_CACHE: join(tmpdir(), 'hallmark-compile-cache'),
    CONTAINERS_REGISTRIES_CONF: registries,
  };
}

async function collect(child: ChildProcess): Promise<Ended> {
  const read = (stream: ChildProcess['stdout']) => (stream ? text(stream) : Promise.resolve(''));
  const exited = new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
  const [stdout, stderr, exitCode] = await Promise.all([read(child.stdout), read(child.stderr), exited]);
  return { exitCode, stdout, stderr };
}

/** A registry on loopback with one image, `tools:1`: a shell and a few programs of this machine. */
export async function startToolsRegistry(options?: FakeRegistryOptions): Promise<FakeRegistry & { tools: string }> {
  const registry = await startRegistry(options);
  registry.add('tools', '1', toLoadableImage([await toolsLayer()], { Env: ['PATH=/bin'] }).image);
  return { ...registry, tools: `${registry.host}/tools:1` };
}

export interface ImageArchive {
  readonly path: string;
  readonly imageHash: string;
}

/** The archive of the one image that was pulled or built in the home of `runner`, as a file. */
export async function takeImageOut(runner: Runner, verb: 'pull' | 'build'): Promise<ImageArchive> {
  return runner.withRecords(async (cluster) => {
    const { items } = await cluster.list('containers', { filters: [['container_image', '=', 'arvados/builtin']] });
    const container = items.find(({ command }) => command[1] === verb);
    if (!container?.output) throw new Error(`no ${verb} with an output`);
    const [file, ...more] = (await readCollection(cluster, container.output)).files.values();
    if (!file || more.length > 0) throw new Error('expected one file');
    const blocks = await openDiskBlockStore(join(runner.home, 'keep'), { clock: { nowNs: () => 0n } });
    const path = join(runner.folder, `${verb}.tar`);
    await pipeline(openFile(blocks, file), createWriteStream(path));
    return { path, imageHash: file.path.replace(/\.tar$/, '') };
  });
}

export interface Served {
  readonly env: { readonly ARVADOS_API_HOST: string; readonly ARVADOS_API_TOKEN: string };
  stop(): Promise<number | null>;
}

/** `cwl-runner serve` in a process of its own, with the home of `runner`. */
export async function serve(runner: Runner, ...args: string[]): Promise<Served> {
  const { child, ended } = runner.start(['serve', ...args], { spawn: { stdio: ['ignore', 'pipe', 'inherit'] } });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    lines.push(line);
    if (lines.length === 2) break;
  }
  const env = Object.fromEntries(lines.map((line) => line.split('=', 2))) as Served['env'];
  return {
    env,
    async stop() {
      child.kill('SIGTERM');
      return (await ended).exitCode;
    },
  };
}
