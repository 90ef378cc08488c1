import type { LauncherProgram, LaunchOptions } from './launcher-program.ts';
import { quote } from './quote.ts';

/**
 * The launcher in a POSIX shell. Here is what each request calls; `$1` is the number of a request. `jobs` reaps those that have
 * ended; background processes of a shell ignore two signals, unless env(1) is new enough to undo it. Nobody waits for `cat`,
 * which ends with the last that reads from it.
 */
const prelude = `
exec 3>&1 >&2
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

export const shellLauncher: LauncherProgram = { command: ['sh'], prelude, toRequest };

function toRequest(number: number, options: LaunchOptions): string {
  const { command, environment, cwd, stdin, pipesStdin, stdout, stderr, control } = options;
  const { up, down } = control ?? { up: '/dev/null', down: '/dev/null' };
  const words = [String(number), cwd, stdin, stdout, stderr, up, down, pipesStdin ? 'pipe' : ''];
  const assignments = Object.entries(environment ?? {}).map(([name, value]) => `${name}=${value}`);
  const clean = environment ? `env -i $signals -- ${assignments.map(quote).join(' ')}` : '';
  const line = `run ${words.map(quote).join(' ')} ${clean} ${command.map(quote).join(' ')}`;
  return `jobs\n(${line}) &\n`;
}
