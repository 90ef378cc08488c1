/** Numbers of <asm/unistd.h>. */
interface Calls {
  readonly mount: number;
  readonly prctl: number;
  readonly prlimit: number;
  readonly seccomp: number;
  readonly setgroups: number;
  readonly sethostname: number;
  readonly setns: number;
  readonly setresgid: number;
  readonly setresuid: number;
  readonly unshare: number;
}

const architectures: Readonly<Record<string, Calls>> = {
  x64: {
    ...{ mount: 165, prctl: 157, prlimit: 302, seccomp: 317, setgroups: 116 },
    ...{ sethostname: 170, setns: 308, setresgid: 119, setresuid: 117, unshare: 272 },
  },
  arm64: {
    ...{ mount: 40, prctl: 167, prlimit: 261, seccomp: 277, setgroups: 159 },
    ...{ sethostname: 161, setns: 268, setresgid: 149, setresuid: 147, unshare: 97 },
  },
};

/** A program in perl with numbers in place of `SYS_name`; undefined where they are not known here. */
export function withSystemCalls(program: string, architecture: string): string | undefined {
  const calls = architectures[architecture];
  return calls && program.replace(/\bSYS_(\w+)/g, (_all, name: keyof Calls) => String(calls[name]));
}
