import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
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
  /** What it says, as it comes. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
}

/** Runs one subcommand to its end, whatever that is. Fails with `executor/unavailable` when there is no such program. */
export async function callCli(cli: EngineCli, args: readonly string[], options: CliOptions = {}): Promise<CliEnd> {
  const child = spawn(cli.program, [...cli.globalArgs, ...args], {
    stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: { ...cli.environment },
    ...(options.signal ? { signal: options.signal } : {}),
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
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw executorError('executor/unavailable', `the program "${cli.program}" is not installed`, {
      hint: cli.hint,
      cause: error,
    });
  }
}

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

export const openFile = (path: string): Readable => createReadStream(path, { highWaterMark: 1024 * 1024 });
