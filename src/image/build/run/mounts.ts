import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { imageError } from '../../errors.ts';
import { digestOf } from '../../streams.ts';
import { selectCopy } from '../copy/copy-layer.ts';
import { resolveSource, type SourceEntry, type SourceTree } from '../copy/source-tree.ts';
import type { RunInstruction } from '../dockerfile/instructions.ts';
import { type Mount, parseMount } from '../dockerfile/mount.ts';
import type { RunMount } from '../port.ts';
import type { CacheDirs } from './cache-dirs.ts';
import { extractEntry } from './extract.ts';
import { expandIn } from './metadata.ts';
import type { BuildOptions } from './options.ts';
import type { Sources } from './sources.ts';
import type { StageState } from './state.ts';

/** The mounts of one RUN: what of them goes into the key, and, once they are needed, themselves. */
export interface PreparedMounts {
  readonly key: readonly unknown[];
  /** Environment variables that hold a secret. */
  readonly secretEnv: Readonly<Record<string, string>>;
  open(): Promise<{ readonly mounts: readonly RunMount[]; close(): Promise<void> }>;
}

export interface MountStep {
  readonly options: BuildOptions;
  readonly sources: Sources;
  readonly caches: CacheDirs;
  readonly state: StageState;
  readonly stageIndex: number;
}

export async function prepareMounts(instruction: RunInstruction, step: MountStep): Promise<PreparedMounts> {
  const { state, options } = step;
  const expand = (word: string) => expandIn(state, word, options.plan.dockerfile.escapeChar);
  const mounts = instruction.mounts.map((text) => withTarget(parseMount(text, expand), state));
  const secretEnv: Record<string, string> = {};
  for (const { type, env, id = '' } of mounts) {
    const content = type === 'secret' && env !== undefined ? secretOf(options, id) : undefined;
    if (content && env !== undefined) secretEnv[env] = Buffer.from(content).toString();
  }
  for (const { required, id = '' } of mounts) if (required) requireSecret(options, id);
  return {
    secretEnv,
    key: [await Promise.all(mounts.map((mount) => mountKey(mount, step))), instruction.script ?? null],
    open: () => openMounts(mounts, instruction, step),
  };
}

const withTarget = (mount: Mount, state: StageState): Mount => ({
  ...mount,
  target: mount.target === '' ? '' : posix.resolve('/', state.config.WorkingDir ?? '/', mount.target),
});

const secretOf = ({ secrets }: BuildOptions, id: string) => secrets?.get(id);

function requireSecret(options: BuildOptions, id: string): void {
  if (secretOf(options, id)) return;
  throw imageError('image/bad-dockerfile', `expected the secret "${id}", got none`, {
    hint: `give the build a secret of the id ${id}`,
  });
}

/** A secret and a cache count by their name, a bind by its content. */
async function mountKey(mount: Mount, step: MountStep): Promise<unknown> {
  if (mount.type !== 'bind') return mount;
  if (mount.from !== undefined)
    return { ...mount, chain: (await step.sources.from(mount.from, step.stageIndex)).chain };
  const { tree } = step.sources.context();
  const spec = { keyword: 'COPY', inline: [], destination: '/', excludes: [], parents: false } as const;
  const part = { tree, pattern: mount.source || '/', unpack: false };
  const selection = await selectCopy(spec, [part], step.options.signal);
  await selection.close();
  return { ...mount, content: selection.digest };
}

async function openMounts(mounts: readonly Mount[], { script }: RunInstruction, step: MountStep) {
  const scratch = await mkdtemp(join(step.options.scratchDir ?? tmpdir(), 'hallmark-mounts-'));
  const release: (() => Promise<void>)[] = [() => rm(scratch, { recursive: true, force: true })];
  const close = async () => {
    for (const each of release.reverse()) await each();
  };
  try {
    const opened: RunMount[] = [];
    for (const [index, mount] of mounts.entries()) {
      const made = await openMount(mount, { ...step, scratch: join(scratch, String(index)), release });
      if (made) opened.push(made);
    }
    if (script) opened.push(await openScript(script, join(scratch, 'script')));
    return { mounts: opened, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export const scriptPath = (name: string): string => posix.join('/run/heredoc', name);

async function openScript({ name, content }: { name: string; content: string }, path: string): Promise<RunMount> {
  await writeFile(path, content, { mode: 0o755 });
  return { type: 'bind', source: path, target: scriptPath(name), writable: false };
}

interface OpenStep extends MountStep {
  readonly scratch: string;
  readonly release: (() => Promise<void>)[];
}

async function openMount(mount: Mount, step: OpenStep): Promise<RunMount | undefined> {
  const { target } = mount;
  switch (mount.type) {
    case 'tmpfs':
      return { type: 'tmpfs', target, ...(mount.sizeBytes && { sizeBytes: mount.sizeBytes }) };
    case 'secret': {
      const content = secretOf(step.options, mount.id ?? '');
      if (!content || target === '') return undefined;
      return { type: 'secret', content, target, mode: mount.mode ?? 0o400, uid: mount.uid ?? 0, gid: mount.gid ?? 0 };
    }
    case 'cache': {
      const id = digestOf(Buffer.from(mount.id ?? target)).slice(7, 39);
      const { path, release } = await step.caches.take(id, mount.sharing, (made) => fillCache(made, mount, step));
      step.release.push(release);
      return { type: 'cache', source: path, target, readOnly: mount.readOnly };
    }
    case 'bind':
      return { type: 'bind', source: await openBind(mount, step), target, writable: !mount.readOnly };
  }
}

/** Called once, when the directory of a cache is made: its first content, mode and owner. */
async function fillCache(path: string, mount: Mount, step: OpenStep): Promise<void> {
  if (mount.from === undefined) await mkdir(path, { mode: mount.mode ?? 0o755 });
  else
    await extractFrom(
      await (await step.sources.from(mount.from, step.stageIndex)).tree(),
      mount,
      path,
      step.options.signal,
    );
  const { uid = 0, gid = 0 } = mount;
  if (process.geteuid?.() === 0) await chown(path, uid, gid);
}

/** The context itself where that shows the command no more than it may see and lets it change nothing; else a copy. */
async function openBind(mount: Mount, step: OpenStep): Promise<string> {
  const { sources, stageIndex, scratch, options } = step;
  if (mount.from !== undefined) {
    await extractFrom(await (await sources.from(mount.from, stageIndex)).tree(), mount, scratch, options.signal);
    return scratch;
  }
  const { dir, tree } = sources.context();
  const entry = await findMountSource(tree, mount);
  if (mount.readOnly && (options.dockerignore ?? '').trim() === '') return join(dir, entry.path);
  await extractFrom(tree, mount, scratch, options.signal);
  return scratch;
}

async function findMountSource(tree: SourceTree, mount: Mount): Promise<SourceEntry> {
  const entry = await resolveSource(tree, mount.source);
  if (entry) return entry;
  throw imageError('image/bad-dockerfile', `expected ${mount.source} in ${tree.name} to mount, got no such file`);
}

async function extractFrom(tree: SourceTree, mount: Mount, target: string, signal?: AbortSignal): Promise<void> {
  await extractEntry(tree, await findMountSource(tree, mount), target, signal);
}
