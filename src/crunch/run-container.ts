import { builtinImage, type Container } from '../api/records.ts';
import type { Uuid } from '../core/ids.ts';
import { cancelled, type Ending } from './ending.ts';
import { crunchError } from './errors.ts';
import { finalize } from './finalize.ts';
import type { Life } from './life.ts';
import { createContainerLogs, liveLogDir } from './logs/container-logs.ts';
import { nodeInfo } from './logs/node-info.ts';
import { sharedBlocksOf } from './logs/shared-blocks.ts';
import type { CrunchDeps } from './port.ts';
import { runBuiltin } from './run-builtin.ts';
import { runCommand } from './run-command.ts';
import { untilTurn } from './turn.ts';

/**
 * The life of one container that the caller has locked: load, mount, run, log, save, report. It resolves once the record is
 * Complete or Cancelled; its state is decided once, so an abort of `signal` after that changes nothing. It rejects only where
 * the record could not be read or written: the live log stays then.
 */
export async function runContainer(target: Uuid | Container, deps: CrunchDeps, signal: AbortSignal): Promise<void> {
  const container = typeof target === 'string' ? await deps.api.get('containers', target) : target;
  const logs = createContainerLogs(liveLogDir(deps.workDir, container.uuid), deps.clock);
  const tasks: (() => Promise<void>)[] = [];
  const afterwards = (task: () => Promise<void>): void => void tasks.push(task);
  const leave = sharedBlocksOf(deps.blocks).enter();
  try {
    const ending = await live(container, { logs, deps, signal, afterwards });
    await finalize(ending, { container, logs, deps });
  } finally {
    leave();
    for (const task of tasks) await task();
  }
}

async function live(container: Container, given: Omit<Life, 'container' | 'secretMounts'>): Promise<Ending> {
  const { logs, deps, signal } = given;
  try {
    checkRecord(container);
    logs.line(`crunch-run starts container ${container.uuid}`);
    logs.put('container.json', `${JSON.stringify(container, null, 2)}\n`);
    logs.put('node-info.json', nodeInfo());
    signal.throwIfAborted();
    const life = { ...given, container, secretMounts: await deps.secretMounts(container.uuid) };
    const isBuiltin = container.container_image === builtinImage;
    if (isBuiltin) await untilTurn(life);
    const ending = isBuiltin ? await runBuiltin(life) : await runCommand(life);
    signal.throwIfAborted();
    return ending;
  } catch (error) {
    return cancelled(error, signal);
  }
}

function checkRecord(container: Container): void {
  const problem = (field: string, expected: string, got: unknown) =>
    crunchError('crunch/bad-record', `container ${container.uuid}: expected ${expected}, got ${JSON.stringify(got)}`, {
      hint: 'lock the container before running it, and run it once',
      where: { container: container.uuid, field },
    });
  if (container.state !== 'Locked') throw problem('state', 'state "Locked"', container.state);
  if (container.command.length === 0) throw problem('command', 'a command', container.command);
  if (!container.output_path.startsWith('/'))
    throw problem('output_path', 'an absolute output_path', container.output_path);
}
