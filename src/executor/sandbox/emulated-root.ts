import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { executorError } from '../errors.ts';
import type { BindMount } from '../port.ts';
import { findTool } from '../process/find-tool.ts';
import { ownedName } from '../process/owned.ts';
import { resolveTarget } from './resolve.ts';

/**
 * Root of a namespace with a single id cannot give files to others or become another user: the kernel answers EINVAL, on which
 * package managers give up. A filter of seccomp(2) answers 0 to those calls without doing anything, so that all files are the
 * caller's and every process stays root inside. Charliecloud does the same (`--force=seccomp`).
 */
interface Architecture {
  /** `AUDIT_ARCH_*` of linux/audit.h. */
  readonly audit: number;
  readonly seccomp: number;
  readonly emulated: readonly number[];
}

/** chown and its kin; setuid, setgid, setgroups and theirs; capset. Numbers of <asm/unistd.h>. */
const architectures: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    seccomp: 317,
    emulated: [92, 93, 94, 260, 105, 106, 113, 114, 116, 117, 119, 122, 123, 126],
  },
  arm64: {
    audit: 0xc00000b7,
    seccomp: 277,
    emulated: [54, 55, 143, 144, 145, 146, 147, 149, 151, 152, 159, 91],
  },
};

export interface RootEmulation {
  /** The filter, a program of seccomp(2). */
  readonly filter: Buffer;
  /** Prefix of a command line that runs the rest under it. */
  readonly command: readonly string[];
  /** A file to mount into `aptFolder` of images that have one. */
  readonly aptSettings: string;
}

/** Undefined where this machine cannot do it. Its file lies in `home`. */
export async function makeRootEmulation(home: string): Promise<RootEmulation | undefined> {
  const architecture = architectures[process.arch];
  if (architecture === undefined || (await findTool('perl')) === undefined) return undefined;
  const settings = join(home, 'apt.conf');
  const partial = join(home, ownedName());
  await writeFile(partial, aptSettings);
  await rename(partial, settings);
  const filter = toFilter(architecture);
  return {
    filter,
    command: ['perl', '-e', loader(architecture.seccomp), filter.toString('hex')],
    aptSettings: settings,
  };
}

/** Node cannot make system calls of its own; perl-base is on every Debian. SECCOMP_SET_MODE_FILTER is 1. */
const loader = (seccomp: number): string =>
  `my $f=pack("H*",shift);my $p=pack("Sx6P",length($f)/8,$f);syscall(${seccomp},1,0,$p)==0||die "seccomp: $!\\n";exec {$ARGV[0]} @ARGV;die "$ARGV[0]: $!\\n"`;

const load = 0x20;
const jumpIfEqual = 0x15;
const answer = 0x06;
const allow = 0x7fff0000;
/** SECCOMP_RET_ERRNO with 0: the call succeeds and is not made. */
const pretend = 0x00050000;

/** A classic BPF program over `struct seccomp_data`: the number of the call is at 0, the architecture at 4. */
function toFilter({ audit, emulated }: Architecture): Buffer {
  const count = emulated.length;
  return Buffer.concat([
    instruction(load, 4),
    instruction(jumpIfEqual, audit, 1),
    instruction(answer, allow),
    instruction(load, 0),
    ...emulated.map((number, index) => instruction(jumpIfEqual, number, count - index)),
    instruction(answer, allow),
    instruction(answer, pretend),
  ]);
}

/** `struct sock_filter`, little-endian as both architectures are. */
function instruction(code: number, value: number, ifTrue = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

/** apt looks whether it has really become `_apt`. */
const aptSettings = 'APT::Sandbox::User "root";\n';

const aptFolder = '/etc/apt/apt.conf.d';

/** What images with these layers, topmost first, need besides. */
export function emulationBinds(emulation: RootEmulation | undefined, layers: readonly string[]): readonly BindMount[] {
  if (!emulation || resolveTarget(layers, aptFolder).kind !== 'directory') return [];
  return [{ source: emulation.aptSettings, target: `${aptFolder}/99one-id`, readOnly: true }];
}

export const singleIdError = (): Error =>
  executorError(
    'executor/unavailable',
    'a build may give files to other users, and this user has no ids for them: no range in /etc/subuid and /etc/subgid',
    {
      hint: 'as root: apt-get install uidmap && usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER; or install perl',
    },
  );
