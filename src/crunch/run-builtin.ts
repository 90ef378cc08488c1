import { mkdirSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Container, RuntimeStatus } from '../api/records.ts';
import { HallmarkError, isHallmarkError } from '../core/errors.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { createActivity } from './activity.ts';
import type { Ending } from './ending.ts';
import { crunchError } from './errors.ts';
import { linkImage } from './images/links.ts';
import type { Life } from './life.ts';
import type { ContainerLogs } from './logs/container-logs.ts';
import { containerDirs, removeDirs } from './owner.ts';
import type { BuiltinCommand, BuiltinResult, Builtins, BuiltinTask } from './port.ts';
import { withRetries } from './retry.ts';
import { saveOutput } from './save-output.ts';
import { withTimeLimit } from './time-limit.ts';

/** Runs `docker pull` or `docker build` with the same states, logs and limits as any command. */
export async function runBuiltin(life: Life): Promise<Ending> {
  const { container, secretMounts, logs, deps, signal } = life;
  const command = chooseBuiltin(container, deps.builtins);
  const startNs = deps.clock.nowNs();
  await withRetries(() => deps.api.update('containers', container.uuid, { state: 'Running' }));
  const dirs = await containerDirs(deps, container.uuid, 'builtin');
  mkdirSync(dirs.place, { recursive: true });
  const activity = createActivity(life);
  const streams = openStreams(logs);
  try {
    const report = { line: logs.line, activity: activity.set, output: streams.write };
    const task = { container, secretMounts, scratchDir: dirs.place, report };
    const result = await withTimeLimit(container, signal, (limited) => callBuiltin(command, task, limited));
    signal.throwIfAborted();
    const wallSeconds = Number(deps.clock.nowNs() - startNs) / 1e9;
    return {
      state: 'Complete',
      exitCode: result.exitCode,
      output: await saveImage(life, result),
      outputKept: Promise.resolve(),
      outputProperties: result.output?.properties ?? {},
      status: { usage: { wallSeconds }, ...toStatus(result) },
    };
  } finally {
    await streams.end();
    await activity.end();
    life.afterwards(() => removeDirs(dirs, deps.logger));
  }
}

function chooseBuiltin({ uuid, command, output_path }: Container, builtins: Builtins): BuiltinCommand {
  const refuse = (field: string, expected: string, got: unknown) =>
    crunchError(
      'crunch/bad-builtin',
      `builtin container: expected ${field} to be ${expected}, got ${JSON.stringify(got)}`,
      {
        hint: 'see the rules of builtin requests in docs/builtin-requests.md',
        where: { container: uuid, field },
      },
    );
  const [program, verb] = command;
  if (program !== 'docker' || (verb !== 'pull' && verb !== 'build')) {
    throw refuse('command', '["docker","pull",…] or ["docker","build",…]', command);
  }
  if (output_path !== '/') throw refuse('output_path', '"/"', output_path);
  return builtins[verb];
}

/** What a registry, a Dockerfile or a RUN says is the command's own failure; what may go better next time is not. */
async function callBuiltin(command: BuiltinCommand, task: BuiltinTask, signal: AbortSignal): Promise<BuiltinResult> {
  try {
    return await command(task, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof HallmarkError && error.code.startsWith('image/')) || isOfTheNetwork(error)) throw error;
    const { where, hint, message } = error;
    const place = where?.file === undefined ? '' : `${where.file}:${where.line ?? 1}: `;
    const lines = [`${place}${message}`, ...(hint === undefined ? [] : [`hint: ${hint}`])];
    task.report.output('stderr', `${lines.join('\n')}\n`);
    return { exitCode: 1, error: `${place}${message}`, ...(hint !== undefined && { hint }) };
  }
}

const isOfTheNetwork = (error: HallmarkError): boolean =>
  error.retryable || isHallmarkError(error, 'image/registry-unreachable');

const toStatus = ({ error, hint }: BuiltinResult): RuntimeStatus => ({
  ...(error !== undefined && { error }),
  ...(hint !== undefined && { errorDetail: `hint: ${hint}` }),
});

async function saveImage({ container, deps }: Life, result: BuiltinResult): Promise<PortableDataHash | null> {
  if (!result.output) return null;
  const { collection, properties } = result.output;
  const record = await saveOutput(container, collection, deps, properties);
  await linkImage(deps.api, record.uuid, properties);
  return record.portable_data_hash;
}

function openStreams(logs: ContainerLogs) {
  const streams = new Map<string, Writable>();
  return {
    write(name: 'stdout' | 'stderr', chunk: Uint8Array | string): void {
      const stream = streams.get(name) ?? logs.stream(`${name}.txt`);
      streams.set(name, stream);
      stream.write(chunk);
    },
    async end(): Promise<void> {
      for (const stream of streams.values()) {
        if (!stream.writableEnded) stream.end();
        await finished(stream);
      }
    },
  };
}
