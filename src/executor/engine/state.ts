import { callCli, type EngineCli } from './cli.ts';

/** `.State` of `inspect`, as docker and podman spell it. */
export interface EngineState {
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly hasStarted: boolean;
  /** Why it could not be started. */
  readonly error: string;
}

/** Undefined when the engine does not know the container, or does not answer. */
export async function readState(cli: EngineCli, name: string): Promise<EngineState | undefined> {
  const { exitCode, stdout } = await callCli(cli, ['container', 'inspect', '--format', '{{json .State}}', name]);
  if (exitCode !== 0) return undefined;
  const state: unknown = JSON.parse(stdout);
  if (typeof state !== 'object' || state === null) return undefined;
  const field = (key: string): unknown => (state as Record<string, unknown>)[key];
  return {
    exitCode: Number(field('ExitCode') ?? 0),
    outOfMemory: field('OOMKilled') === true,
    hasStarted: !String(field('StartedAt') ?? '0001').startsWith('0001'),
    error: String(field('Error') ?? ''),
  };
}
