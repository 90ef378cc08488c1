/** Fails when a file of src/ imports a room that scripts/rooms.json does not allow it. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|new URL\(\s*)(['"])(\.{1,2}\/[^'"]+)\1/g;

function roomOf(root: string, path: string): string | undefined {
  return relative(join(root, 'src'), path).split('/')[0];
}

/** One line for each forbidden import below `root`: `src/keep/a.ts:3: keep may not import api (src/api/port.ts)`. */
export function findForbiddenImports(root: string, rooms: Readonly<Record<string, readonly string[]>>): string[] {
  const found: string[] = [];
  for (const name of globSync('src/**/*.ts', { cwd: root }).sort()) {
    if (name.endsWith('.test.ts')) continue;
    const file = join(root, name);
    const room = roomOf(root, file) ?? '';
    const allowed = rooms[room];
    if (!allowed) {
      found.push(`${name}:1: "${room}" is not a room of scripts/rooms.json`);
      continue;
    }
    const text = readFileSync(file, 'utf8');
    for (const match of text.matchAll(importPattern)) {
      const target = resolve(dirname(file), match[2] ?? '');
      const targetRoom = roomOf(root, target) ?? '..';
      if (targetRoom === room || allowed.includes('*') || allowed.includes(targetRoom)) continue;
      const line = text.slice(0, match.index).split('\n').length;
      found.push(`${name}:${line}: ${room} may not import ${targetRoom} (${relative(root, target)})`);
    }
  }
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const root = resolve(import.meta.dirname, '..');
  const rooms = JSON.parse(readFileSync(join(root, 'scripts/rooms.json'), 'utf8')) as Record<string, string[]>;
  const found = findForbiddenImports(root, rooms);
  for (const line of found) console.error(line);
  process.exitCode = found.length > 0 ? 1 : 0;
}
