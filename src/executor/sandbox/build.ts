import { chmodSync, unlinkSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { BuildRoot, BuildSandbox, RunMount, RunSpec } from '../../image/build/port.ts';
import type { BindMount } from '../port.ts';
import { toContainer } from '../process/container.ts';
import { ownedName } from '../process/owned.ts';
import { readChanges } from './changes.ts';
import { singleIdError } from './emulated-root.ts';
import type { Ground } from './ground.ts';
import type { FileOwner } from './init.ts';
import { linkLayers } from './layer-store.ts';
import { removeOverlayWork, removeTree } from './remove.ts';
import { startInRoot, workFolder } from './root.ts';
import { findUser } from './user.ts';

/** Builds in the same namespaces as the containers of `createSandboxExecutor`. Its `reap` clears what a crash leaves. */
export function createBuildSandbox(openGround: () => Promise<Ground>): BuildSandbox {
  return {
    async openRoot(layers, signal) {
      signal?.throwIfAborted();
      const ground = await openGround();
      if (ground.idMap.kind === 'single' && !ground.emulation) throw singleIdError();
      const folders = await ground.layers.extract(layers, signal);
      signal?.throwIfAborted();
      const folder = join(ground.home, 'builds', ownedName());
      await mkdir(join(folder, 'upper'), { recursive: true });
      await linkLayers(join(folder, 'image'), folders.toReversed());
      return toBuildRoot(ground, folder, folders.toReversed());
    },
  };
}

function toBuildRoot(ground: Ground, folder: string, layers: readonly string[]): BuildRoot {
  const upper = join(folder, 'upper');
  let closed = false;
  return {
    async run(spec, signal) {
      signal?.throwIfAborted();
      const scratch = await mkdtemp(join(folder, 'run-'));
      try {
        const root = { image: join(folder, 'image'), layers, upper, scratch };
        return await runIn(ground, root, spec, signal);
      } finally {
        const { enter } = await ground.namespace();
        await removeOverlayWork(workFolder(scratch), enter);
        await removeTree(scratch, enter);
      }
    },
    changes: async (clampSeconds) => readChanges(upper, (await ground.namespace()).enter, clampSeconds),
    async close() {
      if (closed) return;
      closed = true;
      await removeTree(folder, (await ground.namespace()).enter);
    },
  };
}

interface BuildStage {
  readonly image: string;
  readonly layers: readonly string[];
  readonly upper: string;
  readonly scratch: string;
}

async function runIn(ground: Ground, root: BuildStage, spec: RunSpec, signal?: AbortSignal): Promise<number> {
  const { home, ...user } = findUser([root.upper, ...root.layers], spec.user);
  const mounts = toMounts(spec.mounts, root.scratch);
  const child = await startInRoot(ground, root, {
    ...mounts,
    command: spec.command,
    environment: { HOME: home, ...spec.environment },
    workingDir: spec.workingDir,
    network: spec.network,
    noNewPrivileges: false,
    stdout: { kind: 'stream', writable: toWritable((chunk) => spec.onOutput('stdout', chunk)) },
    stderr: { kind: 'stream', writable: toWritable((chunk) => spec.onOutput('stderr', chunk)) },
    ...(isRoot(user) ? {} : { user }),
  });
  for (const path of mounts.secrets) unlinkSync(path);
  const container = toContainer(child);
  const onAbort = (): void => void container.stop();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    const { exitCode } = await container.exit;
    signal?.throwIfAborted();
    return exitCode;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

const isRoot = ({ uid, gid, groups }: { uid: number; gid: number; groups: readonly number[] }): boolean =>
  uid === 0 && gid === 0 && groups.length === 0;

const toWritable = (take: (chunk: Uint8Array) => void): Writable =>
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (chunk.length > 0) take(chunk);
      done();
    },
  });

interface BuildMounts {
  readonly binds: readonly BindMount[];
  readonly tmpfs: readonly { readonly target: string; readonly sizeBytes?: number }[];
  readonly owners: readonly FileOwner[];
  readonly secrets: readonly string[];
}

function toMounts(mounts: readonly RunMount[], scratch: string): BuildMounts {
  const binds: BindMount[] = [];
  const tmpfs: { target: string; sizeBytes?: number }[] = [];
  const owners: FileOwner[] = [];
  const secrets: string[] = [];
  for (const [index, mount] of mounts.entries()) {
    switch (mount.type) {
      case 'bind':
        binds.push({ source: mount.source, target: mount.target, readOnly: !mount.writable });
        break;
      case 'cache':
        binds.push({ source: mount.source, target: mount.target, readOnly: mount.readOnly });
        break;
      case 'tmpfs':
        tmpfs.push({ target: mount.target, ...(mount.sizeBytes === undefined ? {} : { sizeBytes: mount.sizeBytes }) });
        break;
      case 'secret': {
        const path = join(scratch, `secret.${index}`);
        writeFileSync(path, mount.content, { mode: 0o600 });
        chmodSync(path, mount.mode);
        owners.push({ path, uid: mount.uid, gid: mount.gid });
        binds.push({ source: path, target: mount.target, readOnly: true });
        secrets.push(path);
        break;
      }
    }
  }
  return { binds, tmpfs, owners, secrets };
}
