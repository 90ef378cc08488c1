/** One mount, in the words of mount(8). */
export interface Mount {
  readonly source: string;
  readonly target: string;
  /** Of the file system; `none` for what is there already. */
  readonly type: string;
  readonly options: readonly string[];
}

/** The option that makes the folder that is mounted on. */
export const makesTarget = 'X-mount.mkdir';

/** A line of fstab(5). */
export const toFstabLine = ({ source, target, type, options }: Mount): string =>
  `${toField(source)} ${toField(target)} ${type} ${options.join(',')} 0 0`;

/** Whatever could separate or start something is an octal escape. */
const toField = (path: string): string =>
  Array.from(Buffer.from(path), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9/._+,:=@%-]/.test(char) ? char : `\\${byte.toString(8).padStart(3, '0')}`;
  }).join('');

/** A call of mount(2). */
export interface MountCall {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly flags: number;
  readonly data: string;
}

/** `MS_*` of linux/mount.h. */
const flagOf: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  remount: 32,
  bind: 4096,
  rbind: 4096 | 16384,
};
const binding = 4096 | 16384;
const remountBind = 32 | 4096;

/** What mount(8) calls: the kernel takes the flags of a bind in a second call only. */
export function toMountCalls({ source, target, type, options }: Mount): MountCall[] {
  const flags = options.reduce((sum, option) => sum | (flagOf[option] ?? 0), 0);
  const data = options.filter((option) => flagOf[option] === undefined && option !== makesTarget).join(',');
  const call = { source, target, type, data };
  const how = flags & ~binding;
  if ((flags & binding) === 0 || how === 0 || options.includes('remount')) return [{ ...call, flags }];
  return [
    { ...call, flags: flags & binding },
    { ...call, flags: remountBind | how },
  ];
}
