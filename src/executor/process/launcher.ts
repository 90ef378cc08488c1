import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { executorError } from '../errors.ts';
import { findTool } from './find-tool.ts';
import { perlLauncherBeside } from './launcher-perl.ts';
import type { LauncherProgram, LaunchOptions } from './launcher-program.ts';
import { shellLauncher } from './launcher-shell.ts';
import { toolEnvironment } from './tool-environment.ts';

export interface Launched {
  readonly pid: number;
  /** Exit code as shells say it. Rejects when the launcher is lost. */
  readonly ended: Promise<number>;
  /** What has waited has got its work. */
  busy(): void;
  /** It cannot write to the folders that `createLauncher` was given. */
  readonly isKeptOut: boolean;
}

/**
 * A small process that starts others for us. Node copies its page tables for each process it starts (3 ms, more as its heap
 * grows); a small one takes a fraction of that, on another core. Each command leads a process group of its own, on no terminal;
 * when it ends, or when we do, however that happens, the rest of its group is killed.
 */
export interface Launcher {
  /** Resolves when the process is there. 126 and 127 are exit codes, as in a shell. */
  launch(options: LaunchOptions): Promise<Launched>;
}

interface Pending {
  readonly onStarted: (pid: number) => void;
  readonly onEnded: (code: number) => void;
  readonly onFailed: (error: Error) => void;
}

/** Perl where it is there, which takes half of the time that a shell takes. */
const bestProgram = async (readOnly: readonly string[]): Promise<LauncherProgram> =>
  (await findTool('perl')) === undefined ? shellLauncher : perlLauncherBeside(readOnly);

/** `readOnly`: folders that commands are to be kept from writing to, by `bestProgram` where it can (`Launched.isKeptOut`). */
export function createLauncher(program?: LauncherProgram, readOnly: readonly string[] = []): Launcher {
  let chosen: Promise<LauncherProgram> | undefined;
  let life: LauncherProcess | undefined;
  return {
    async launch(options) {
      chosen ??= program ? Promise.resolve(program) : bestProgram(readOnly);
      const { command, environment, cwd, stdin, stdout, stderr } = options;
      requireNoZeros([...command, cwd, stdin, stdout, stderr, ...Object.entries(environment ?? {}).flat()]);
      const best = await chosen;
      if (life === undefined || life.isOver) life = new LauncherProcess(best);
      return life.launch(options);
    },
  };
}

/** Zeros part the words of a request: one in a word would make two of it, and the second might be taken for the command. */
export function requireNoZeros(words: readonly string[]): void {
  if (!words.some((word) => word.includes('\0'))) return;
  throw executorError('executor/start-failed', 'a word of the command, a variable or a path holds a zero byte', {
    hint: 'pass such content in a file',
  });
}

/** One life of the launcher's process. Keeps this process alive only while something it started runs. */
class LauncherProcess implements Launcher {
  isOver = false;
  readonly #program: LauncherProgram;
  readonly #pending = new Map<number, Pending>();
  readonly #waiting = new Set<number>();
  readonly #requests: Socket;
  readonly #reports: Socket;
  #count = 0;
  #keepsOut = false;
  #unread = '';

  constructor(program: LauncherProgram) {
    this.#program = program;
    const [file, ...args] = program.command;
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'], detached: true, env: toolEnvironment });
    this.#requests = child.stdin as Socket;
    this.#reports = child.stdout as Socket;
    child.unref();
    child.on('error', () => this.#fail());
    this.#requests.on('error', () => this.#fail());
    this.#reports.on('error', () => this.#fail());
    this.#reports.on('close', () => this.#fail());
    this.#reports.on('data', (chunk: Buffer) => this.#read(chunk.toString()));
    this.#requests.write(program.prelude);
    this.#setBusy();
  }

  launch(options: LaunchOptions): Promise<Launched> {
    this.#count += 1;
    const number = this.#count;
    return new Promise((resolve, reject) => {
      let onEnded: (code: number) => void;
      let onLost: (error: Error) => void;
      const ended = new Promise<number>((resolveEnd, rejectEnd) => {
        onEnded = resolveEnd;
        onLost = rejectEnd;
      });
      ended.catch(() => {});
      this.#pending.set(number, {
        onStarted: (pid) => resolve({ pid, ended, busy: () => this.#endWaiting(number), isKeptOut: this.#keepsOut }),
        onEnded: (code) => onEnded(code),
        onFailed(error) {
          reject(error);
          onLost(error);
        },
      });
      if (options.waits) this.#waiting.add(number);
      this.#setBusy();
      this.#requests.write(this.#program.toRequest(number, options));
    });
  }

  #read(text: string): void {
    const lines = (this.#unread + text).split('\n');
    this.#unread = lines.pop() ?? '';
    for (const line of lines) {
      const [what, number, value] = line.split(' ');
      const pending = this.#pending.get(Number(number));
      if (what === 'p') this.#keepsOut = true;
      else if (what === 's') pending?.onStarted(Number(value));
      else
        this.#settle(Number(number), (each) =>
          what === 'e' ? each.onEnded(Number(value)) : each.onFailed(notSetUp()),
        );
    }
  }

  #settle(number: number, tell: (pending: Pending) => void): void {
    const pending = this.#pending.get(number);
    this.#pending.delete(number);
    if (pending) tell(pending);
    this.#endWaiting(number);
  }

  #endWaiting(number: number): void {
    this.#waiting.delete(number);
    this.#setBusy();
  }

  #fail(): void {
    this.isOver = true;
    for (const number of [...this.#pending.keys()]) this.#settle(number, (each) => each.onFailed(lost()));
    this.#requests.destroy();
    this.#reports.destroy();
  }

  #setBusy(): void {
    for (const socket of [this.#requests, this.#reports]) {
      if (this.#pending.size > this.#waiting.size) socket.ref();
      else socket.unref();
    }
  }
}

const notSetUp = (): Error =>
  executorError('executor/start-failed', 'the command could not be set up in its working directory with its files', {
    hint: 'check that the working directory and the input file exist and that the output files can be written',
  });

const lost = (): Error =>
  executorError('executor/engine-lost', 'the process that starts commands on this machine has died', {
    hint: 'run it again',
    retryable: true,
  });
