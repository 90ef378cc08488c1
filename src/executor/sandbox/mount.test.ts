import { describe, expect, it } from 'vitest';
import { toFstabLine, toMountCalls } from './mount.ts';

describe('a mount', () => {
  it('is a line of fstab(5), whatever its path', () => {
    const mount = { source: '/a b\n#', target: 'r/é', type: 'none', options: ['bind', 'ro'] };
    expect(toFstabLine(mount)).toBe('/a\\040b\\012\\043 r/\\303\\251 none bind,ro 0 0');
  });

  it('is one call of mount(2) where the file system is new', () => {
    const options = ['mode=1777', 'nosuid', 'nodev', 'size=5', 'X-mount.mkdir'];
    expect(toMountCalls({ source: 'tmpfs', target: 'r/tmp', type: 'tmpfs', options })).toEqual([
      { source: 'tmpfs', target: 'r/tmp', type: 'tmpfs', flags: 2 + 4, data: 'mode=1777,size=5' },
    ]);
  });

  it('is a bind and a remount where what is bound gets flags', () => {
    const mount = { source: '/in', target: 'r/in', type: 'none', options: ['rbind', 'ro', 'nosuid', 'nodev'] };
    const call = { source: '/in', target: 'r/in', type: 'none', data: '' };
    expect(toMountCalls(mount)).toEqual([
      { ...call, flags: 4096 + 16384 },
      { ...call, flags: 32 + 4096 + 1 + 2 + 4 },
    ]);
    expect(toMountCalls({ ...mount, options: ['rbind'] })).toEqual([{ ...call, flags: 4096 + 16384 }]);
  });

  it('is a remount alone where that is asked for', () => {
    const call = { source: 'none', target: 'r', type: 'none' };
    expect(toMountCalls({ ...call, options: ['remount', 'bind', 'ro'] })).toEqual([
      { ...call, flags: 32 + 4096 + 1, data: '' },
    ]);
  });
});
