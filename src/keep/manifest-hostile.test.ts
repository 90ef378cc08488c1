import { describe, expect, it } from 'vitest';
import { buildCollection } from './build-collection.ts';
import { createMd5 } from './locator.ts';
import { parseManifest, portableDataHash } from './manifest.ts';

const one = 'c4ca4238a0b923820dcc509a6f75849b+1';
const ten = 'd3d9446802a44259755d38e6d163e820+10';

const refused: readonly (readonly [what: string, manifest: string, message: RegExp])[] = [
  ['no newline', `. ${one} 0:1:a`, /line 1: the last line has no newline/],
  ['an empty line', '\n', /line 1: expected a stream name "\." or "\.\/…", got ""/],
  ['no stream name', `${one} 0:1:a\n`, /expected a stream name/],
  ['an absolute stream', `/etc ${one} 0:1:a\n`, /expected a stream name.*got "\/etc"/],
  ['a stream above the root', `./../x ${one} 0:1:a\n`, /the path has the part "\.\.": "\.\.\/x"/],
  ['an escaped stream above the root', `./\\056\\056/x ${one} 0:1:a\n`, /the path has the part "\.\."/],
  ['a stream with a trailing slash', `./a/ ${one} 0:1:a\n`, /the path has an empty part/],
  ['a name above the root', `. ${one} 0:1:../x\n`, /the path has the part "\.\."/],
  ['a name above the root, escaped', `. ${one} 0:1:\\056.\\057x\n`, /the path has the part "\.\."/],
  ['an absolute name', `. ${one} 0:1:/etc/passwd\n`, /the path is absolute/],
  ['an absolute name, escaped', `. ${one} 0:1:\\057etc\n`, /the path is absolute/],
  ['a name with a NUL', `. ${one} 0:1:a\\000b\n`, /the path holds a NUL/],
  ['a name that is not UTF-8', `. ${one} 0:1:\\377\n`, /expected a file token/],
  ['a name with an empty part', `. ${one} 0:1:a//b\n`, /the path has an empty part/],
  ['a path longer than any system takes', `. ${one} 0:1:${'a/'.repeat(5000)}a\n`, /the path is longer than 4096/],
  ['no blocks', '. 0:0:a\n', /expected a block locator, got "0:0:a"/],
  ['no files', `. ${one}\n`, /expected a file token "position:size:name", got none/],
  ['two spaces', `.  ${one} 0:1:a\n`, /expected a block locator, got ""/],
  ['a block after a file', `. ${one} 0:1:a ${one}\n`, /expected a file token/],
  ['a block without a size', '. c4ca4238a0b923820dcc509a6f75849b 0:1:a\n', /expected a block locator/],
  ['a block over 64 MiB', '. c4ca4238a0b923820dcc509a6f75849b+67108865 0:1:a\n', /blocks of at most 64 MiB/],
  ['a range past the blocks', `. ${one} 0:2:a\n`, /the stream holds 1 bytes, "0:2:a" reaches past them/],
  ['a range that begins past the blocks', `. ${one} 5:1:a\n`, /reaches past them/],
  ['a negative position', `. ${one} -1:1:a\n`, /expected a file token/],
  ['a number beyond 2^53', `. ${one} 0:99999999999999999:a\n`, /expected a file token/],
  ['a size that overflows', `. ${one} 9999999999999999:9999999999999999:a\n`, /reaches past them/],
  ['an empty name', `. ${one} 0:1:\n`, /expected a file token/],
  ['a file that is a directory', `. ${one} 0:1:a\n./a ${one} 0:1:b\n`, /"a" is a file and a directory/],
  ['a directory that is a file', `./a ${one} 0:1:b\n. ${one} 0:1:a\n`, /"a" is a file and a directory/],
  ['a marker with bytes', `. ${one} 0:1:\\056\n`, /expected "\." to be an empty file/],
  ['the marker of a directory above', `. ${one} 0:0:../\\056\n`, /the path has the part "\.\."/],
];

describe('a hostile manifest', () => {
  it.each(refused)('is refused: %s', (_what, manifest, message) => {
    const parse = () => parseManifest(manifest);
    expect(parse).toThrow(message);
    expect(parse).toThrow(
      expect.objectContaining({ code: 'keep/bad-manifest', hint: expect.stringContaining('record') }),
    );
  });

  it('does not multiply: many names of a stream of many blocks', () => {
    const line = `.${` ${ten}`.repeat(20_000)}${` 0:200000:a`.repeat(20_000)}\n`;
    expect(() => parseManifest(line)).toThrow(/more than 4000000 pieces of files/);
  });

  it('names the line', () => {
    expect(() => parseManifest(`. ${one} 0:1:a\n./b ${one} 0:2:a\n`)).toThrow('manifest, line 2: the stream holds 1');
  });
});

describe('what a hostile name becomes', () => {
  it('is only data, never a property of an object', () => {
    const parsed = parseManifest(`./__proto__ ${one} 0:1:constructor\n`);
    expect([...parsed.files.keys()]).toEqual(['__proto__/constructor']);
    expect(parsed.directories).toEqual(new Set(['__proto__']));
  });

  it('is read as UTF-8 when its bytes are escaped', () => {
    expect([...parseManifest(`. ${one} 0:1:\\303\\251é\n`).files.keys()]).toEqual(['éé']);
  });

  it('keeps an empty block out of a file that reaches over it', () => {
    const [file] = parseManifest(`. ${ten} d41d8cd98f00b204e9800998ecf8427e+0 ${one} 5:6:a\n`).files.values();
    expect(file?.segments).toEqual([
      { locator: ten, offset: 5, length: 5 },
      { locator: one, offset: 0, length: 1 },
    ]);
  });
});

describe('a collection that cannot be', () => {
  const file = (path: string) => ({ path, sizeBytes: 0, segments: [] });
  it.each([
    [['a', 'a'], /two entries of a collection have the path "a"/],
    [['a', 'a/b'], /two entries of a collection have the path "a"/],
    [['a/b', 'a'], /two entries of a collection have the path "a"/],
    [['../a'], /a path in a collection has the part "\.\."/],
    [['/a'], /a path in a collection is absolute/],
    [[''], /a path in a collection is empty/],
    [['a\0b'], /a path in a collection holds a NUL/],
    [['\ud800'], /a path in a collection is not valid Unicode/],
  ])('is refused: %j', (paths, message) => {
    const build = () => buildCollection(paths.map(file));
    expect(build).toThrow(message);
    expect(build).toThrow(expect.objectContaining({ code: 'keep/bad-path' }));
  });
});

describe('a large collection', () => {
  it('of 100 000 files is built and read in a time that grows with its size alone', () => {
    const files = Array.from({ length: 100_000 }, (_, index) => {
      const locator = `${createMd5().update(String(index)).digest('hex')}+3` as typeof ten & never;
      return { path: `d${index % 100}/f${index}`, sizeBytes: 3, segments: [{ locator, offset: 0, length: 3 }] };
    });
    const built = buildCollection(files);
    const parsed = parseManifest(built.manifestText);
    expect(parsed.files.size).toBe(100_000);
    expect(parsed.directories.size).toBe(100);
    expect(parsed.portableDataHash).toBe(portableDataHash(built.manifestText));
  });
});
