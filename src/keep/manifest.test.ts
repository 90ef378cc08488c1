import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildCollection } from './build-collection.ts';
import type { Collection, FileSegment } from './collection.ts';
import { parseManifest, portableDataHash, stripManifest } from './manifest.ts';

interface Vectors {
  readonly built: readonly {
    readonly name: string;
    readonly files: readonly { readonly path: string; readonly segments: readonly FileSegment[] }[];
    readonly directories: readonly string[];
    readonly manifestText: string;
    readonly portableDataHash: string;
  }[];
  readonly parsed: readonly {
    readonly name: string;
    readonly manifestText: string;
    readonly stripped: string;
    readonly normalized: string;
    readonly normalizedHash: string;
  }[];
}

const vectorsFile = new URL('../../test/fixtures/keep/vectors.json', import.meta.url);
const vectors = JSON.parse(readFileSync(vectorsFile, 'utf8')) as Vectors;

const sizeOf = (segments: readonly FileSegment[]) => segments.reduce((sum, { length }) => sum + length, 0);

function normalize(collection: Collection): Collection {
  return buildCollection(collection.files.values(), collection.directories);
}

describe('what the Arvados Python client computes', () => {
  it.each(vectors.built)('builds $name', ({ files, directories, manifestText, portableDataHash: expected }) => {
    const built = buildCollection(
      files.map((file) => ({ ...file, sizeBytes: sizeOf(file.segments) })),
      directories,
    );
    expect(built.manifestText).toBe(manifestText);
    expect(built.portableDataHash).toBe(expected);
  });

  it.each(vectors.built)('reads $name back', ({ files, manifestText, portableDataHash: expected }) => {
    const parsed = parseManifest(manifestText);
    expect(parsed.portableDataHash).toBe(expected);
    expect([...parsed.files.keys()].sort()).toEqual(files.map(({ path }) => path).sort());
    for (const file of files) expect(parsed.files.get(file.path)?.sizeBytes).toBe(sizeOf(file.segments));
    expect(normalize(parsed).manifestText).toBe(manifestText);
  });

  it.each(vectors.parsed)('reads $name', ({ manifestText, stripped, normalized, normalizedHash }) => {
    expect(stripManifest(manifestText)).toBe(stripped);
    const parsed = parseManifest(manifestText);
    expect(parsed.manifestText).toBe(manifestText);
    expect(parsed.portableDataHash).toBe(portableDataHash(stripped));
    const again = normalize(parseManifest(stripped));
    expect(again.manifestText).toBe(normalized);
    expect(normalize(parsed).portableDataHash).toBe(normalizedHash);
  });
});
