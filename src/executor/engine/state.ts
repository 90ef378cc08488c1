import { answerMs, callCli, type EngineCli } from './cli.ts';

/** Of a container that has started. */
export interface FirstProcess {
  /** Of the container: 64 hexadecimal digits. */
  readonly id: string;
  /** On the machine of the engine; 0 unless it runs. */
  readonly pid: number;
}

/** What `inspect` tells of a container, as docker and podman spell it. */
export interface EngineState extends FirstProcess {
  readonly isRunning: boolean;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly hasStarted: boolean;
  /** Why it could not be started. */
  readonly error: string;
}

/** Undefined when the engine does not know the container, or does not answer. */
export async function readState(cli: EngineCli, name: string): Promise<EngineState | undefined> {
  const { exitCode, stdout } = await callCli(
    cli,
    ['container', 'inspect', '--format', '{{.Id}} {{json .State}}', name],
    {
      timeoutMs: answerMs,
    },
  );
  if (exitCode !== 0) return undefined;
  const [id = '', ...rest] = stdout.split(' ');
  const state: unknown = JSON.parse(rest.join(' '));
  if (typeof state !== 'object' || state === null) return undefined;
  const field = (key: string): unknown => (state as Record<string, unknown>)[key];
  return {
    id,
    pid: Number(field('Pid') ?? 0),
    isRunning: field('Running') === true,
    exitCode: Number(field('ExitCode') ?? 0),
    outOfMemory: field('OOMKilled') === true,
    hasStarted: !String(field('StartedAt') ?? '0001').startsWith('0001'),
    error: String(field('Error') ?? ''),
  };
}
