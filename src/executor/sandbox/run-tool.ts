import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { toolEnvironment } from '../process/tool-environment.ts';

export interface ToolEnd {
  readonly exitCode: number;
  /** The first of what it said on stderr. */
  readonly said: string;
}

const saidLimit = 4000;

/** Runs a program of this machine to its end. Rejects when it cannot be started, or when `input` fails. */
export async function runTool(command: readonly string[], input?: Readable): Promise<ToolEnd> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: [input ? 'pipe' : 'ignore', 'ignore', 'pipe'],
    env: { ...toolEnvironment },
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    if (said.length < saidLimit) said += chunk.toString();
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  if (input && child.stdin) {
    await pipeline(input, child.stdin).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      child.kill('SIGKILL');
      throw error;
    });
  }
  return { exitCode: await ended, said: said.trim() };
}
