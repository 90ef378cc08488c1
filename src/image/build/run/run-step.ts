import type { Digest } from '../../../core/ids.ts';
import { imageError } from '../../errors.ts';
import type { Layer } from '../../model.ts';
import type { RunInstruction } from '../dockerfile/instructions.ts';
import { proxyArgs } from '../plan/arguments.ts';
import type { RunSpec } from '../port.ts';
import type { MadeLayer } from './copy-step.ts';
import { layerKey } from './key.ts';
import { withShell } from './metadata.ts';
import { type MountStep, prepareMounts, scriptPath } from './mounts.ts';
import { createRedactedStreams, type OnOutput } from './redact.ts';
import type { StageState } from './state.ts';

const tailLines = 20;

export interface RunStep extends MountStep {
  /** Bounds how many commands run at once. Stages that this one mounts are waited for outside of it. */
  readonly limit: <T>(task: () => Promise<T>) => Promise<T>;
}

/** RUN: its layer from the cache, or what its command changes in a root of the sandbox. */
export async function runCommand(instruction: RunInstruction, step: RunStep, onOutput: OnOutput): Promise<MadeLayer> {
  const { options, state } = step;
  const { script, network } = instruction;
  const command = script ? [scriptPath(script.name)] : withShell(state, instruction.command);
  const prepared = await prepareMounts(instruction, step);
  const { User: user = '', WorkingDir: workingDir = '/' } = state.config;
  const visible = { command, environment: state.scope, user, workingDir, network };
  const key = layerKey(options, state, { ...visible, mounts: prepared.key });
  const createdBy = toHistory(state, script ? [script.content] : command);
  const known = await options.cache.get(key);
  if (known) return { layer: known, isCached: true, createdBy };

  const opened = await prepared.open();
  try {
    const output = collectOutput(options.secrets?.values() ?? [], onOutput);
    const environment = { ...proxies(options.plan.buildArgs), ...state.scope, ...prepared.secretEnv };
    const spec = { command, environment, workingDir, user, network: network !== 'none', mounts: opened.mounts };
    const layer = await step.limit(() =>
      runInRoot(instruction, { ...spec, onOutput: output.write }, { step, output, key }),
    );
    return { layer, isCached: false, createdBy };
  } finally {
    await opened.close();
  }
}

interface Execution {
  readonly step: RunStep;
  readonly output: { end(): void; tail(): string };
  readonly key: Digest;
}

async function runInRoot(instruction: RunInstruction, spec: RunSpec, { step, output, key }: Execution): Promise<Layer> {
  const { options, state } = step;
  const root = await options.sandbox.openRoot(state.layers, options.signal);
  try {
    const code = await root.run(spec, options.signal);
    output.end();
    if (code !== 0) throw stepFailed(instruction, code, output.tail());
    return await options.cache.put(key, await root.changes(options.clampSeconds));
  } finally {
    await root.close();
  }
}

function proxies(buildArgs: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    proxyArgs.flatMap((name) => (buildArgs[name] === undefined ? [] : [[name, buildArgs[name]]])),
  );
}

/** As BuildKit writes it: the ARGs that the command could see, counted, and the command. */
function toHistory(state: StageState, command: readonly string[]): string {
  const args = state.args.map((name) => `${name}=${state.scope[name] ?? ''}`);
  return ['RUN', ...(args.length > 0 ? [`|${args.length}`, ...args] : []), ...command].join(' ');
}

/** Redacts what the command writes, passes it on, and keeps the last lines. */
function collectOutput(secrets: Iterable<Uint8Array>, onOutput: OnOutput) {
  let tail = '';
  const streams = createRedactedStreams(secrets, (stream, text) => {
    const lines = (tail + text).split('\n');
    tail = lines.slice(-tailLines - 1).join('\n');
    onOutput(stream, text);
  });
  return { ...streams, tail: () => tail.trimEnd() };
}

function stepFailed({ text }: RunInstruction, code: number, tail: string) {
  const reason = code === 127 ? ' (a command was not found)' : code > 128 ? ` (ended by signal ${code - 128})` : '';
  const hint = tail === '' ? 'it printed nothing' : `its last output was:\n${tail}`;
  return imageError('image/build-step-failed', `expected exit code 0, got ${code}${reason} from: ${text}`, { hint });
}
