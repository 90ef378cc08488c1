import { describe, expect, it } from 'vitest';
import { hintOnNamespaces } from './namespaces-refused.ts';

const rooted = '22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n23 22 0:5 / /proc rw - proc proc rw\n';
const chrooted = '23 22 0:5 / /proc rw - proc proc rw\n';

describe('why there are no user namespaces', () => {
  it.each([
    ['none allowed', { '/proc/sys/user/max_user_namespaces': '0\n' }, 'sysctl user.max_user_namespaces=15000'],
    [
      'only for root',
      { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' },
      'sysctl kernel.unprivileged_userns_clone=1',
    ],
    [
      'held by AppArmor',
      { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' },
      'sysctl kernel.apparmor_restrict_unprivileged_userns=0',
    ],
    ['a chroot', { '/proc/self/mountinfo': chrooted }, 'this is a chroot'],
    ['nothing that is known', { '/proc/sys/user/max_user_namespaces': '96365\n' }, 'where this itself is a container'],
  ])('%s', (_, files, expected) => {
    const known = new Map<string, string>(Object.entries({ '/proc/self/mountinfo': rooted, ...files }));
    const hint = hintOnNamespaces((path) => known.get(path));
    expect(hint).toContain(expected);
    expect(hint.endsWith('; or choose another executor')).toBe(true);
    expect(hint.match(/sysctl|chroot|itself/g)).toHaveLength(1);
  });

  it('names every reason that holds', () => {
    const known = new Map([
      ['/proc/sys/user/max_user_namespaces', '0\n'],
      ['/proc/self/mountinfo', chrooted],
    ]);
    expect(hintOnNamespaces((path) => known.get(path))).toMatch(/max_user_namespaces=15000; this is a chroot/);
  });
});
