import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expandWords } from '../../src/image/build/dockerfile/expand.ts';
import { type FileTree, type Node, newNode, removeTree } from './file-tree.ts';

export interface ShellState {
  readonly tree: FileTree;
  readonly isReadOnly: (path: string) => boolean;
  readonly environment: Record<string, string>;
  readonly uid: number;
  readonly gid: number;
  cwd: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Output = (stream: 'stdout' | 'stderr', text: string) => void;

class Failure extends Error {}

const ok = (stdout = ''): Result => ({ code: 0, stdout, stderr: '' });

/** `sh -c`: statements by `;`, `&&` and line ends, `$(…)`, quotes, variables, `>`, `>>`, `>&2`. No pipes, no loops. */
export async function runScript(state: ShellState, script: string, output: Output): Promise<number> {
  let code = 0;
  let follows = ';';
  for (const part of script.split(/(;|&&|\n)/)) {
    if (part === ';' || part === '\n' || part === '&&') follows = part;
    else if (part.trim() !== '' && !(follows === '&&' && code !== 0)) {
      if (/^exit\b/.test(part.trim())) return Number(part.trim().split(/\s+/)[1] ?? code);
      code = await runStatement(state, part, output);
    }
  }
  return code;
}

async function runStatement(state: ShellState, text: string, output: Output): Promise<number> {
  let statement = text;
  for (const [whole, inner = ''] of text.matchAll(/\$\(([^()]*)\)/g)) {
    let captured = '';
    await runScript(state, inner, (_stream, chunk) => {
      captured += chunk;
    });
    statement = statement.replace(whole, captured.trim());
  }
  const [, command = '', operator, target = ''] = /^(.*?)(?:\s*(>>|>&|>)\s*(\S+)\s*)?$/s.exec(statement) ?? [];
  const words = expandWords(command, (name) => state.environment[name]);
  const result = await runCommand(state, words);
  output('stderr', result.stderr);
  if (operator === '>&') output('stderr', result.stdout);
  else if (operator) return redirect(state, { path: toPath(state, target), append: operator === '>>', result }, output);
  else output('stdout', result.stdout);
  return result.code;
}

function redirect(state: ShellState, to: { path: string; append: boolean; result: Result }, output: Output): number {
  if (to.path === '/dev/null') return to.result.code;
  try {
    const old = state.tree.get(to.path);
    const content = Buffer.from((to.append ? (old?.content.toString() ?? '') : '') + to.result.stdout);
    put(state, to.path, { ...(old ?? newNode('file', { uid: state.uid, gid: state.gid })), content });
    return to.result.code;
  } catch (error) {
    output('stderr', `sh: ${(error as Error).message}\n`);
    return 1;
  }
}

/** One command: 127 where there is none of that name. */
export async function runCommand(state: ShellState, words: readonly string[]): Promise<Result> {
  const [name = '', ...args] = words;
  const command = commands[posix.basename(name)];
  if (!command || !isFound(state, name)) return { code: 127, stdout: '', stderr: `sh: ${name}: not found\n` };
  try {
    return await command(state, args);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { code: 1, stdout: '', stderr: `${name}: ${error.message}\n` };
  }
}

const builtins = ['echo', 'pwd', 'true', 'false', 'cd'];

function isFound(state: ShellState, name: string): boolean {
  if (name.includes('/')) return state.tree.has(posix.normalize(name));
  const folders = (state.environment.PATH ?? '').split(':');
  return builtins.includes(name) || folders.some((folder) => state.tree.has(posix.join(folder, name)));
}

const toPath = (state: ShellState, path: string) => posix.resolve(state.cwd, path);

function put(state: ShellState, path: string, node: Node): void {
  if (state.isReadOnly(path)) throw new Failure(`${path}: Read-only file system`);
  if (state.tree.get(posix.dirname(path))?.type !== 'directory')
    throw new Failure(`${path}: No such file or directory`);
  state.tree.set(path, node);
}

function read(state: ShellState, path: string): string {
  const node = state.tree.get(toPath(state, path));
  if (node?.type === 'symlink') return read(state, posix.resolve(posix.dirname(toPath(state, path)), node.linkPath));
  if (node?.type !== 'file') throw new Failure(`${path}: No such file or directory`);
  const shift = node.uid === state.uid ? 6 : node.gid === state.gid ? 3 : 0;
  if (state.uid !== 0 && ((node.mode >> shift) & 4) === 0) throw new Failure(`${path}: Permission denied`);
  return node.content.toString();
}

function list(state: ShellState, path: string): string {
  const folder = toPath(state, path);
  if (state.tree.get(folder)?.type !== 'directory') throw new Failure(`${path}: No such file or directory`);
  const names = [...state.tree.keys()].filter((key) => key !== '/' && posix.dirname(key) === folder);
  return names
    .sort()
    .map((name) => `${posix.basename(name)}\n`)
    .join('');
}

function change(state: ShellState, path: string, changes: Partial<Node>): void {
  const node = state.tree.get(toPath(state, path));
  if (!node) throw new Failure(`${path}: No such file or directory`);
  put(state, toPath(state, path), { ...node, ...changes });
}

function remove(state: ShellState, args: string[]): Result {
  const isForced = args.some((arg) => /^-.*f/.test(arg));
  for (const path of args.filter((arg) => !arg.startsWith('-')).map((arg) => toPath(state, arg))) {
    if (!state.tree.has(path) && !isForced) throw new Failure(`${path}: No such file or directory`);
    if (state.isReadOnly(path)) throw new Failure(`${path}: Read-only file system`);
    removeTree(state.tree, path);
  }
  return ok();
}

function makeDirectories(state: ShellState, args: string[]): Result {
  const owner = { uid: state.uid, gid: state.gid };
  for (const path of args.filter((arg) => !arg.startsWith('-')).map((arg) => toPath(state, arg))) {
    const missing = [path];
    for (let up = posix.dirname(path); args.includes('-p') && !state.tree.has(up); up = posix.dirname(up))
      missing.unshift(up);
    for (const each of missing) if (!state.tree.has(each)) put(state, each, newNode('directory', owner));
  }
  return ok();
}

type Command = (state: ShellState, args: string[]) => Result | Promise<Result>;

const commands: Readonly<Record<string, Command>> = {
  sh: async (state, [, script = '']) => {
    const output = { stdout: '', stderr: '' };
    const code = await runScript(state, script, (stream, text) => {
      output[stream] += text;
    });
    return { code, ...output };
  },
  true: () => ok(),
  false: () => ({ ...ok(), code: 1 }),
  echo: (_state, args) => ok(`${args.join(' ')}\n`),
  pwd: (state) => ok(`${state.cwd}\n`),
  cd: (state, [path = '/']) => {
    state.cwd = toPath(state, path);
    return ok();
  },
  cat: (state, args) => ok(args.map((path) => read(state, path)).join('')),
  ls: (state, args) => ok(args.map((path) => list(state, path)).join('')),
  env: (state) =>
    ok(
      Object.entries(state.environment)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    ),
  id: (state, [flag]) => ok(`${flag === '-g' ? state.gid : state.uid}\n`),
  touch: (state, args) => {
    for (const path of args) put(state, toPath(state, path), newNode('file', { uid: state.uid, gid: state.gid }));
    return ok();
  },
  chmod: (state, [mode = '', ...paths]) => {
    for (const path of paths) change(state, path, { mode: Number.parseInt(mode, 8) });
    return ok();
  },
  chown: (state, [owner = '', ...paths]) => {
    const [uid = 0, gid = 0] = owner.split(':').map(Number);
    for (const path of paths) change(state, path, { uid, gid });
    return ok();
  },
  ln: (state, [, linkPath = '', path = '']) => {
    put(state, toPath(state, path), newNode('symlink', { linkPath, uid: state.uid, gid: state.gid }));
    return ok();
  },
  mkdir: makeDirectories,
  rm: remove,
  sleep: async (state, [seconds]) => {
    await sleep(Number(seconds) * 1000, undefined, state.signal ? { signal: state.signal } : {});
    return ok();
  },
};
