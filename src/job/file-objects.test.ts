import { describe, expect, it } from 'vitest';
import {
  allFileObjects,
  locationName,
  mapFileObjects,
  nameOf,
  splitName,
  withNames,
  withoutPaths,
} from './file-objects.ts';

describe('names', () => {
  it.each([
    ['a.txt', 'a', '.txt'],
    ['a.tar.gz', 'a.tar', '.gz'],
    ['.bashrc', '.bashrc', ''],
    ['..a.b', '..a', '.b'],
    ['a', 'a', ''],
    ['a.', 'a', '.'],
  ])('%s', (name, nameroot, nameext) => expect(splitName(name)).toEqual({ nameroot, nameext }));

  it.each([
    ['file:///d/a%20b.txt', 'a b.txt'],
    ['keep:d41d8cd98f00b204e9800998ecf8427e+0', 'd41d8cd98f00b204e9800998ecf8427e+0'],
    ['http://x/y/z?a=b#c', 'z'],
    ['file:///d/', 'd'],
    ['file:///d/%ff', '%ff'],
  ])('of %s', (location, name) => expect(locationName(location)).toBe(name));

  it('come from the basename before all else', () => {
    expect(nameOf({ class: 'File', basename: 'b', location: 'file:///a' })).toBe('b');
    expect(nameOf({ class: 'File', path: '/x/y' })).toBe('y');
    expect(nameOf({ class: 'File', contents: '' })).toBeUndefined();
  });
});

describe('values', () => {
  const inner = { class: 'File' as const, location: 'file:///d/a.b', path: '/p/a.b', contents: 'x' };
  const value = {
    list: [1, { class: 'Directory' as const, basename: 'd', listing: [inner] }],
    file: { ...inner, secondaryFiles: [inner] },
  };

  it('are walked to the innermost', () => {
    expect([...allFileObjects(value)].map((object) => object.class)).toEqual(['Directory', 'File', 'File', 'File']);
  });

  it('are shared where nothing changes', () => {
    expect(mapFileObjects(value, (object) => object)).toBe(value);
  });

  it('get names, and lose paths and loaded contents', () => {
    expect(withNames(inner)).toEqual({ ...inner, basename: 'a.b', nameroot: 'a', nameext: '.b' });
    expect(withoutPaths(inner)).toEqual({ class: 'File', location: 'file:///d/a.b' });
    expect(withoutPaths({ class: 'File', contents: 'x' })).toEqual({ class: 'File', contents: 'x' });
  });
});
