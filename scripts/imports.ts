import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** One import of another file: static, of types alone, late, a re-export, or a worker's URL. Paths are relative to the root. */
export interface Import {
  readonly from: string;
  readonly line: number;
  readonly to: string;
}

const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|new URL\(\s*)(['"])(\.{1,2}\/[^'"]+)\1/g;

/** What each file of src/, but for its tests, imports of our own. */
export function readImports(root: string): ReadonlyMap<string, readonly Import[]> {
  const names = globSync('src/**/*.ts', { cwd: root }).filter((name) => !name.endsWith('.test.ts'));
  return new Map(names.sort().map((name) => [name, importsOf(root, name)]));
}

function importsOf(root: string, from: string): Import[] {
  const text = readFileSync(join(root, from), 'utf8');
  return [...text.matchAll(importPattern)].map((match) => ({
    from,
    line: text.slice(0, match.index).split('\n').length,
    to: relative(root, resolve(root, dirname(from), match[2] ?? '')),
  }));
}
