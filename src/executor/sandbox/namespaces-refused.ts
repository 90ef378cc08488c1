import { readFileSync } from 'node:fs';

/** What a kernel is asked: the text of a file of /proc, nothing where there is none. */
type ReadProc = (path: string) => string | undefined;

interface Reason {
  readonly holds: (read: ReadProc) => boolean;
  readonly hint: string;
}

const isSetTo = (path: string, value: string) => (read: ReadProc) => read(path)?.trim() === value;

const reasons: readonly Reason[] = [
  {
    holds: isSetTo('/proc/sys/user/max_user_namespaces', '0'),
    hint: 'as root, allow them: sysctl user.max_user_namespaces=15000',
  },
  {
    holds: isSetTo('/proc/sys/kernel/unprivileged_userns_clone', '0'),
    hint: 'as root, allow them: sysctl kernel.unprivileged_userns_clone=1',
  },
  {
    holds: isSetTo('/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1'),
    hint: 'as root, allow them: sysctl kernel.apparmor_restrict_unprivileged_userns=0',
  },
  {
    holds: isChroot,
    hint: 'this is a chroot, where the kernel allows none: enter its folder with pivot_root, as container engines and systemd-nspawn do',
  },
];

const elsewhere =
  'where this itself is a container, allow them there (docker run --security-opt seccomp=unconfined, or --privileged)';

/** Why this kernel makes no user namespace (user_namespaces(7)), as the next thing to do. */
export function hintOnNamespaces(read: ReadProc = readProc): string {
  const found = reasons.filter(({ holds }) => holds(read)).map(({ hint }) => hint);
  return `${found.length > 0 ? found.join('; ') : elsewhere}; or choose another executor`;
}

/** The root folder of a chroot is none of the mounts that its processes see (proc_pid_mountinfo(5), field 5). */
function isChroot(read: ReadProc): boolean {
  const mounts = read('/proc/self/mountinfo');
  return mounts !== undefined && !mounts.split('\n').some((line) => line.split(' ')[4] === '/');
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
