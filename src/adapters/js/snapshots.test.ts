import { describe, expect, it } from 'vitest';
import { createSnapshots } from './snapshots.ts';

const mib = 1024 * 1024;
const always = () => true;

/** A memory of which the first bytes are in use. */
function createMemory(megabytes: number) {
  const buffer = new ArrayBuffer(megabytes * mib);
  const bytes = new Uint8Array(buffer);
  bytes.set([1, 2, 3]);
  return { buffer, bytes };
}

describe('snapshots of a memory', () => {
  it('bring back each state, and make each once, from the first one', () => {
    const { buffer, bytes } = createMemory(1);
    const snapshots = createSnapshots<string>({ buffer });
    const made: string[] = [];
    const make = (name: string, byte: number) => () => {
      made.push(name);
      expect([...bytes.subarray(0, 3)]).toEqual([1, 2, 3]);
      bytes[0] = byte;
      return name;
    };
    for (let round = 0; round < 2; round += 1) {
      expect(snapshots.restore('a', make('a', 50), always)).toBe('a');
      expect(bytes[0]).toBe(50);
      expect(snapshots.restore('b', make('b', 60), always)).toBe('b');
      expect(bytes[0]).toBe(60);
      bytes.fill(9);
    }
    expect(made).toEqual(['a', 'b']);
  });

  it('do not keep what does not last', () => {
    const snapshots = createSnapshots<number>(createMemory(1));
    let count = 0;
    const make = () => {
      count += 1;
      return count;
    };
    const isSecond = (made: number) => made === 2;
    expect([1, 2, 3].map(() => snapshots.restore('a', make, isSecond))).toEqual([1, 2, 2]);
  });

  it('keep 64 MiB of the newest, and nothing that is larger alone', () => {
    const { buffer, bytes } = createMemory(80);
    const snapshots = createSnapshots<number>({ buffer });
    let count = 0;
    const use = (key: string, megabytes: number) =>
      snapshots.restore(
        key,
        () => {
          count += 1;
          bytes.fill(0, 3);
          bytes[megabytes * mib - 1] = 1;
          return count;
        },
        always,
      );
    expect([use('a', 30), use('b', 30), use('a', 30)]).toEqual([1, 2, 1]);
    expect([use('c', 30), use('a', 30), use('b', 30)]).toEqual([3, 1, 4]);
    expect([use('huge', 70), use('huge', 70), use('b', 30)]).toEqual([5, 6, 4]);
  });
});
