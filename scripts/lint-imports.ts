/** Fails when a file of src/ imports a room that scripts/rooms.json does not allow it, or imports itself by way of others. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readImports } from './imports.ts';

const roomOf = (name: string): string => (name.startsWith('src/') ? (name.split('/')[1] ?? '') : '..');

/** One line for each forbidden import below `root`: `src/keep/a.ts:3: keep may not import api (src/api/port.ts)`. */
export function findForbiddenImports(root: string, rooms: Readonly<Record<string, readonly string[]>>): string[] {
  const found: string[] = [];
  for (const [name, imports] of readImports(root)) {
    const room = roomOf(name);
    const allowed = rooms[room];
    if (!allowed) {
      found.push(`${name}:1: "${room}" is not a room of scripts/rooms.json`);
      continue;
    }
    for (const { line, to } of imports) {
      const target = roomOf(to);
      if (target === room || allowed.includes('*') || allowed.includes(target)) continue;
      found.push(`${name}:${line}: ${room} may not import ${target} (${to})`);
    }
  }
  return found;
}

/**
 * One line for each import that closes a circle, types counted as well: what two files need of each other belongs in a third.
 * `src/keep/a.ts:3: imports itself: src/keep/a.ts -> src/keep/b.ts -> src/keep/a.ts`.
 */
export function findCircularImports(root: string): string[] {
  const files = readImports(root);
  const found: string[] = [];
  const path: string[] = [];
  const done = new Set<string>();
  const visit = (name: string): void => {
    path.push(name);
    for (const { line, to } of files.get(name) ?? []) {
      const start = path.indexOf(to);
      if (start >= 0) found.push(`${name}:${line}: imports itself: ${[name, ...path.slice(start)].join(' -> ')}`);
      else if (!done.has(to)) visit(to);
    }
    path.pop();
    done.add(name);
  };
  for (const name of files.keys()) if (!done.has(name)) visit(name);
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const root = resolve(import.meta.dirname, '..');
  const rooms = JSON.parse(readFileSync(join(root, 'scripts/rooms.json'), 'utf8')) as Record<string, string[]>;
  const found = [...findForbiddenImports(root, rooms), ...findCircularImports(root)];
  for (const line of found) console.error(line);
  process.exitCode = found.length > 0 ? 1 : 0;
}
