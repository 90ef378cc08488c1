/**
 * What the tools of this machine run with. LIBMOUNT_FORCE_MOUNT2: util-linux 2.39 and later would pass `lowerdir` to
 * fsconfig(2), which takes 256 bytes.
 */
export const toolEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin',
  LC_ALL: 'C',
  LIBMOUNT_FORCE_MOUNT2: 'always',
};
