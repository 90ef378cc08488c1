import { writeMembers } from '../../src/image/build/cache/members.ts';
import type { BuildRoot, BuildSandbox, RunSpec } from '../../src/image/build/port.ts';
import { applyLayers, type FileTree, toChanges } from './file-tree.ts';
import { mountTree } from './mounted-tree.ts';
import { runCommand, runScript, type ShellState } from './shell.ts';

export interface FakeBuildSandbox extends BuildSandbox {
  /** Every command that was run, in order. */
  readonly runs: RunSpec[];
  /** How many roots were opened so far. */
  readonly opened: () => number;
}

/** A build sandbox whose roots are in memory and whose shell knows a dozen commands (`shell.ts`). */
export function createFakeBuildSandbox(): FakeBuildSandbox {
  const runs: RunSpec[] = [];
  let opened = 0;
  return {
    runs,
    opened: () => opened,
    async openRoot(layers, signal) {
      signal?.throwIfAborted();
      opened += 1;
      return openFakeRoot(await applyLayers(layers), runs);
    },
  };
}

function openFakeRoot(before: FileTree, runs: RunSpec[]): BuildRoot {
  let tree: FileTree = new Map(before);
  return {
    async run(spec, signal) {
      signal?.throwIfAborted();
      runs.push(spec);
      const mounted = mountTree(tree, spec.mounts);
      const state = toState(spec, mounted.tree, mounted.isReadOnly, signal);
      try {
        return await execute(state, spec);
      } finally {
        tree = mounted.unmount();
      }
    },
    changes: async (clampSeconds) => writeMembers(toChanges(before, tree, clampSeconds)),
    close: async () => {},
  };
}

async function execute(state: ShellState, spec: RunSpec): Promise<number> {
  const output = (stream: 'stdout' | 'stderr', text: string) => {
    if (text !== '') spec.onOutput(stream, Buffer.from(text));
  };
  const [shell = '', flag, script] = spec.command;
  if (/\/(ba)?sh$/.test(shell) && flag === '-c' && script !== undefined) return runScript(state, script, output);
  const { code, stdout, stderr } = await runCommand(state, spec.command);
  output('stdout', stdout);
  output('stderr', stderr);
  return code;
}

function toState(
  spec: RunSpec,
  tree: FileTree,
  isReadOnly: (path: string) => boolean,
  signal: AbortSignal | undefined,
): ShellState {
  const table = (path: string) => (tree.get(path)?.content.toString() ?? '').split('\n').map((line) => line.split(':'));
  const [userName = '', groupName] = spec.user.split(':');
  const wanted = userName === '' ? 'root' : userName;
  const user = table('/etc/passwd').find(([name, , uid]) => name === wanted || uid === wanted);
  const group = table('/etc/group').find(([name, , gid]) => name === groupName || gid === groupName);
  const home = user?.[5] ?? '/';
  return {
    tree,
    isReadOnly,
    environment: { ...(spec.environment.HOME === undefined ? { HOME: home } : {}), ...spec.environment },
    uid: Number(user?.[2] ?? (wanted === 'root' ? 0 : wanted)),
    gid: Number(groupName === undefined ? (user?.[3] ?? 0) : (group?.[2] ?? groupName)),
    cwd: spec.workingDir,
    signal,
  };
}
