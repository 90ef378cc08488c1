import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { executorError } from '../errors.ts';
import { quote } from './quote.ts';
import { toolEnvironment } from './tool-environment.ts';

export interface LaunchOptions {
  readonly command: readonly string[];
  /** All that it gets; without, it gets the launcher's: a PATH to this machine's own programs and `signals`, see below. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Paths; they are opened in the launcher. */
  readonly stdin: string;
  /** A pipe with the file's content in place of the file itself. */
  readonly pipesStdin?: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Paths for its descriptors 3, to write, and 4, to read. */
  readonly control?: { readonly up: string; readonly down: string };
}

export interface Launched {
  readonly pid: number;
  /** Exit code as shells say it. Rejects when the launcher is lost. */
  readonly ended: Promise<number>;
}

/**
 * A small shell that starts processes for us. Node copies its page tables for each process it starts (3 ms, more as its heap
 * grows), a shell takes a tenth of that, on another core. Each command leads a session of its own; when it ends, or when we
 * do, however that happens, the rest of its process group is killed.
 */
export interface Launcher {
  /** Resolves when the process is there. 126 and 127 are exit codes, as in a shell. */
  launch(options: LaunchOptions): Promise<Launched>;
}

/**
 * Its program: what each request calls, then the requests themselves, which it reads from its standard input. `$1` is the number
 * of a request. Reports on descriptor 3: `f` could not be set up, `s` started with that id, `e` ended with that code. `jobs` reaps
 * those that have ended; background processes of a shell ignore two signals, unless env(1) is new enough to undo it.
 * Nobody waits for `cat`, which ends with the last that reads from it.
 */
const prelude = `
trap "trap '' TERM; kill -TERM 0" EXIT
export signals=--default-signal=INT,QUIT
env $signals true 2>/dev/null || signals=
run() {
  trap "echo f $1 >&3" EXIT
  exec 2>/dev/null
  cd -- "$2" && exec 5<"$3" 6>"$4" 7>"$5" 8>"$6" 9<"$7" || exit
  trap - EXIT
  number=$1
  feed=$8
  shift 8
  pid=
  trap '[ -z "$pid" ] || kill -9 -$pid $pid; exit' TERM
  if [ "$feed" ]; then
    (cat <&5 3>&- 6>&- 7>&- 8>&- 9<&- &) | setsid "$@" >&6 2>&7 3>&8 4<&9 5<&- 6>&- 7>&- 8>&- 9<&- &
  else
    setsid "$@" <&5 >&6 2>&7 3>&8 4<&9 5<&- 6>&- 7>&- 8>&- 9<&- &
  fi
  pid=$!
  echo s $number $pid >&3
  wait $pid
  code=$?
  kill -9 -$pid
  echo e $number $code >&3
}
`;

interface Pending {
  readonly onStarted: (pid: number) => void;
  readonly onEnded: (code: number) => void;
  readonly onFailed: (error: Error) => void;
}

export function createLauncher(): Launcher {
  let shell: Shell | undefined;
  return {
    async launch(options) {
      if (shell === undefined || shell.isOver) shell = new Shell();
      return shell.launch(options);
    },
  };
}

/** One life of the launcher's process. Keeps this process alive only while something it started runs. */
class Shell implements Launcher {
  isOver = false;
  readonly #pending = new Map<number, Pending>();
  readonly #requests: Socket;
  readonly #reports: Socket;
  #count = 0;
  #unread = '';

  constructor() {
    const child = spawn('sh', [], {
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
      detached: true,
      env: toolEnvironment,
    });
    this.#requests = child.stdin as Socket;
    this.#reports = child.stdio[3] as Socket;
    child.unref();
    child.on('error', () => this.#fail());
    this.#requests.on('error', () => this.#fail());
    this.#reports.on('error', () => this.#fail());
    this.#reports.on('close', () => this.#fail());
    this.#reports.on('data', (chunk: Buffer) => this.#read(chunk.toString()));
    this.#requests.write(prelude);
    this.#setBusy();
  }

  launch(options: LaunchOptions): Promise<Launched> {
    const { command, environment, cwd, stdin, pipesStdin, stdout, stderr, control } = options;
    this.#count += 1;
    const number = this.#count;
    const { up, down } = control ?? { up: '/dev/null', down: '/dev/null' };
    const words = [String(number), cwd, stdin, stdout, stderr, up, down, pipesStdin ? 'pipe' : ''];
    const assignments = Object.entries(environment ?? {}).map(([name, value]) => `${name}=${value}`);
    const clean = environment ? `env -i $signals -- ${assignments.map(quote).join(' ')}` : '';
    const line = `run ${words.map(quote).join(' ')} ${clean} ${command.map(quote).join(' ')}`;
    return new Promise((resolve, reject) => {
      let onEnded: (code: number) => void;
      let onLost: (error: Error) => void;
      const ended = new Promise<number>((resolveEnd, rejectEnd) => {
        onEnded = resolveEnd;
        onLost = rejectEnd;
      });
      ended.catch(() => {});
      this.#pending.set(number, {
        onStarted: (pid) => resolve({ pid, ended }),
        onEnded: (code) => onEnded(code),
        onFailed(error) {
          reject(error);
          onLost(error);
        },
      });
      this.#setBusy();
      this.#requests.write(`jobs\n(${line}) &\n`);
    });
  }

  #read(text: string): void {
    const lines = (this.#unread + text).split('\n');
    this.#unread = lines.pop() ?? '';
    for (const line of lines) {
      const [what, number, value] = line.split(' ');
      const pending = this.#pending.get(Number(number));
      if (what === 's') pending?.onStarted(Number(value));
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
      if (this.#pending.size > 0) socket.ref();
      else socket.unref();
    }
  }
}

const notSetUp = (): Error =>
  executorError('executor/start-failed', 'the command could not be set up in its working directory with its files', {
    hint: 'check that the working directory and the input file exist and that the output files can be written',
  });

const lost = (): Error =>
  executorError('executor/engine-lost', 'the shell that starts commands on this machine has died', {
    hint: 'run it again',
    retryable: true,
  });
