import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSparePlaces, type SparePlaces } from './spare-places.ts';

let folder: string;
let spares: SparePlaces;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-spares-'));
  spares = createSparePlaces(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const inner = ['out', 'tmp'];
const open = (name: string, directories = inner): string => {
  const path = join(folder, name);
  spares.open(path, directories);
  return path;
};

describe('places of containers', () => {
  it('are used again under another name when they are as they were', () => {
    const first = open('first');
    const { ino } = statSync(join(first, 'out'));
    expect(spares.takeBack(first, inner)).toBe(true);
    expect(existsSync(first)).toBe(false);
    const second = open('second');
    expect(statSync(join(second, 'out')).ino).toBe(ino);
    expect(readdirSync(second).sort()).toEqual(inner);
  });

  it('are never used for a container that needs other directories', () => {
    expect(spares.takeBack(open('first'), inner)).toBe(true);
    expect(readdirSync(open('second', ['out']))).toEqual(['out']);
  });

  it.each<[string, (place: string) => void]>([
    ['a file is left in one of its directories', (place) => writeFileSync(join(place, 'tmp/left'), '')],
    ['something else is in it', (place) => writeFileSync(join(place, 'else'), '')],
    ['a directory is missing', (place) => rmSync(join(place, 'tmp'), { recursive: true })],
    ['a directory is a file now', (place) => replace(join(place, 'out'))],
    ['permissions were changed', (place) => chmodSync(join(place, 'out'), 0o700)],
  ])('stay where they are when %s', (_what, change) => {
    const place = open('first');
    change(place);
    expect(spares.takeBack(place, inner)).toBe(false);
    expect(existsSync(place)).toBe(true);
  });

  it('are removed at the end', () => {
    expect(spares.takeBack(open('first'), inner)).toBe(true);
    spares.clear();
    expect(readdirSync(folder)).toEqual([]);
  });
});

function replace(path: string): void {
  rmSync(path, { recursive: true });
  writeFileSync(path, 'no directory any more');
}
