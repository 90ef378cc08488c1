import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { executorError } from '../errors.ts';

/** How to call the command-line program of an engine. */
export interface EngineCli {
  readonly program: string;
  /** Options before every subcommand. */
  readonly globalArgs: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What to do where the engine is missing or does not answer. */
  readonly hint: string;
  /** Of `rm`, so that it removes the others where one is not there. */
  readonly removeArgs?: readonly string[];
  /** What to do about a refusal that has a known cure. */
  readonly explain?: (message: string) => string | undefined;
}

export interface CliEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly input?: Readable;
  readonly signal?: AbortSignal;
  /** How long it may take; without an end unless said. */
  readonly timeoutMs?: number;
  /** What it says, as it comes. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
}

/** For questions that an engine answers at once. */
export const answerMs = 30_000;

/**
 * Runs one subcommand to its end, whatever that is. Fails with `executor/unavailable` when there is no such program, with
 * `executor/engine-lost` when it took too long.
 */
export async function callCli(cli: EngineCli, args: readonly string[], options: CliOptions = {}): Promise<CliEnd> {
  const limit = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
  const signals = [options.signal, limit].filter((signal) => signal !== undefined);
  const child = spawn(cli.program, [...cli.globalArgs, ...args], {
    stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: { ...cli.environment },
    ...(signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}),
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  const { onOutput } = options;
  if (onOutput) {
    child.stdout?.on('data', (chunk: Buffer) => onOutput('stdout', chunk));
    child.stderr?.on('data', (chunk: Buffer) => onOutput('stderr', chunk));
  }
  const texts = Promise.all([child.stdout, child.stderr].map(readText));
  const fed = options.input && child.stdin ? feed(options.input, child.stdin) : undefined;
  try {
    const exitCode = await ended;
    await fed;
    const [stdout = '', stderr = ''] = await texts;
    return { exitCode, stdout, stderr: stderr.trim() };
  } catch (error) {
    texts.catch(() => {});
    fed?.catch(() => {});
    if (limit?.aborted && !options.signal?.aborted) throw toSilence(cli, args, error);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw executorError('executor/unavailable', `the program "${cli.program}" is not installed`, {
      hint: cli.hint,
      cause: error,
    });
  }
}

const toSilence = ({ program, hint }: EngineCli, args: readonly string[], cause: unknown) =>
  executorError('executor/engine-lost', `${program} does not answer: "${args.slice(0, 2).join(' ')}" took too long`, {
    hint,
    cause,
    retryable: true,
  });

async function feed(input: Readable, stdin: NodeJS.WritableStream): Promise<void> {
  await pipeline(input, stdin).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

async function readText(stream: Readable | null): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) if (text.length < 1024 * 1024) text += chunk;
  return text;
}

/** The first lines of what a program said, on one line. */
export const toLine = (text: string): string => text.trim().split('\n').slice(0, 3).join('; ');
