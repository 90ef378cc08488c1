import { describe, expect, it } from 'vitest';
import { type IdSources, planIdMap } from './id-map.ts';

const user = { uid: 1000, gid: 1001, userName: 'ada' };
const sources: IdSources = {
  ownUidMap: '         0          0 4294967295\n',
  ownGidMap: '         0          0 4294967295\n',
  subuid: 'bob:100000:65536\nada:165536:65536\n',
  subgid: 'ada:165536:65536\n',
  hasNewuidmap: true,
};

describe('planIdMap', () => {
  it('gives root every id as itself', () => {
    const all = [[0, 0, 4294967295]];
    expect(planIdMap({ uid: 0, gid: 0, userName: 'root' }, sources)).toEqual({
      kind: 'identity',
      uids: all,
      gids: all,
    });
  });

  it('gives a root inside a container the ids that it has there', () => {
    const ownUidMap = '0 1000 1\n1 100000 65536\n';
    const map = planIdMap({ uid: 0, gid: 0, userName: 'root' }, { ...sources, ownUidMap });
    expect(map).toMatchObject({
      uids: [
        [0, 0, 1],
        [1, 1, 65536],
      ],
    });
  });

  it('makes a user root of its subordinate ids', () => {
    expect(planIdMap(user, sources)).toEqual({
      kind: 'subordinate',
      uids: [
        [0, 1000, 1],
        [1, 165536, 65536],
      ],
      gids: [
        [0, 1001, 1],
        [1, 165536, 65536],
      ],
    });
  });

  it('takes ranges by number, and several of them', () => {
    const subuid = '1000:200000:10\nada:300000:5\n';
    expect(planIdMap(user, { ...sources, subuid })).toMatchObject({
      uids: [
        [0, 1000, 1],
        [1, 200000, 10],
        [11, 300000, 5],
      ],
    });
  });

  it.each([
    ['no newuidmap', { hasNewuidmap: false }],
    ['no range of uids', { subuid: '' }],
    ['no range of gids', { subgid: 'bob:1:2\n' }],
    ['a range that is none', { subuid: 'ada:x:y\n' }],
  ])('makes do with one id: %s', (_why, change) => {
    expect(planIdMap(user, { ...sources, ...change })).toEqual({ kind: 'single' });
  });
});
