import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';
import { decodeName, encodeName } from '../../image/tar/names.ts';
import { readTar, type TarMember } from '../../image/tar/read.ts';
import { streamSource } from '../../image/tar/source.ts';
import { tarEnd, tarFill, tarHeader } from '../../image/tar/write.ts';
import { executorError } from '../errors.ts';
import { toolEnvironment } from '../process/tool-environment.ts';

/** What the skeleton puts in every root, and is no part of any image. */
const ownPaths = /^(dev|proc|sys)(\/|$)|^etc\/(hosts|resolv\.conf)$/;

/**
 * The upper folder of an overlay as an OCI layer tar (image-spec 1.1, "Image Layer Filesystem Changeset"), uncompressed: sorted
 * by name, times cut to whole seconds and clamped. Sockets are left out. Holds the list of names in memory, never contents.
 */
export async function readChanges(upper: string, enter: readonly string[], clampSeconds: number): Promise<Readable> {
  const names = await listChanges(upper, enter);
  return Readable.from(toLayerTar(upper, enter, names, clampSeconds), { objectMode: false });
}

interface ChangedName {
  readonly path: string;
  readonly isWhiteout: boolean;
}

async function listChanges(upper: string, enter: readonly string[]): Promise<ChangedName[]> {
  const find = startTool([...enter, 'find', '.', '-mindepth', '1', '-printf', '%y%P\\0'], upper);
  find.child.stdin.end();
  const listed = Buffer.concat(await Array.fromAsync(find.child.stdout as AsyncIterable<Buffer>));
  await find.ended;
  const names: ChangedName[] = [];
  for (let at = 0; at < listed.length; ) {
    const end = listed.indexOf(0, at);
    const type = String.fromCharCode(listed[at] ?? 0);
    const path = decodeName(listed.subarray(at + 1, end));
    if (type !== 's' && !ownPaths.test(path)) names.push({ path, isWhiteout: type === 'c' });
    at = end + 1;
  }
  const keys = new Map(names.map((name) => [name, encodeName(nameInLayer(name))]));
  const keyOf = (name: ChangedName): Buffer => keys.get(name) ?? Buffer.alloc(0);
  return names.sort((a, b) => Buffer.compare(keyOf(a), keyOf(b)));
}

/** A deletion is an empty file named `.wh.` and what it deletes. */
function nameInLayer({ path, isWhiteout }: ChangedName): string {
  return isWhiteout ? path.replace(/[^/]+$/, '.wh.$&') : path;
}

const tarOptions = [
  '--create',
  '--format=posix',
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=*',
  '--no-recursion',
];

async function* toLayerTar(
  upper: string,
  enter: readonly string[],
  names: readonly ChangedName[],
  clampSeconds: number,
): AsyncGenerator<Uint8Array> {
  if (names.length > 0) {
    const tar = startTool([...enter, 'tar', ...tarOptions, '--null', '--files-from=-', '--file=-'], upper);
    tar.child.stdin.on('error', () => {});
    tar.child.stdin.end(Buffer.concat(names.flatMap(({ path }) => [encodeName(`./${path}`), Buffer.of(0)])));
    const source = streamSource(tar.child.stdout);
    try {
      for await (const member of readTar(source)) yield* toLayerMember(member, clampSeconds);
      // What fills the last record may come by itself; the process counts as ended once all of it was read.
      await source.drain();
      await tar.ended;
    } finally {
      tar.child.kill('SIGKILL');
    }
  }
  yield tarEnd();
}

async function* toLayerMember(member: TarMember, clampSeconds: number): AsyncGenerator<Uint8Array> {
  const { type, mode, uid, gid, size } = member;
  const path = withoutDot(member.path);
  const mtime = Math.min(Math.floor(member.mtime), clampSeconds);
  if (type === 'char') {
    yield tarHeader({ path: nameInLayer({ path, isWhiteout: true }), type: 'file', mode: 0o644, mtime });
    return;
  }
  const xattrs = new Map([...member.xattrs].filter(([name]) => !dropsXattr(name)));
  const linkPath = type === 'hardlink' ? withoutDot(member.linkPath) : member.linkPath;
  yield tarHeader({
    path: type === 'directory' ? `${path}/` : path,
    type,
    mode,
    uid,
    gid,
    size,
    mtime,
    linkPath,
    xattrs,
  });
  if (type === 'directory' && member.xattrs.get('user.overlay.opaque')?.toString() === 'y') {
    yield tarHeader({ path: `${path}/.wh..wh..opq`, type: 'file', mode: 0o644, mtime });
  }
  if (type === 'file') {
    yield* member.content();
    yield tarFill(size);
  }
}

const withoutDot = (path: string): string => path.replace(/^\.\//, '').replace(/\/$/, '');

/** The overlay's own, and labels that only this machine's policy gives a meaning. */
const dropsXattr = (name: string): boolean => name.startsWith('user.overlay.') || name === 'security.selinux';

interface RunningTool {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Rejects with what it said unless it ended well. */
  readonly ended: Promise<void>;
}

function startTool(command: readonly string[], cwd: string): RunningTool {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'], env: { ...toolEnvironment } });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (said.length < 4000) said += chunk.toString();
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(toReadError(said, code))));
  });
  ended.catch(() => {});
  return { child, ended };
}

const toReadError = (said: string, code: number | null): Error =>
  executorError(
    'executor/engine-lost',
    `what a build step changed cannot be read: ${said.trim() || `exit code ${code}`}`,
    {
      hint: 'run the build again',
    },
  );
