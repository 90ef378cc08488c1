import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCircularImports, findForbiddenImports } from './lint-imports.ts';
import rooms from './rooms.json' with { type: 'json' };

const root = resolve(import.meta.dirname, '..');
let copy = '';

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'hallmark-gates-'));
  mkdirSync(join(copy, 'src/core'), { recursive: true });
  mkdirSync(join(copy, 'src/keep'));
  cpSync(join(root, 'src/core'), join(copy, 'src/core'), { recursive: true });
  cpSync(join(root, 'tsconfig.json'), join(copy, 'tsconfig.json'));
  cpSync(join(root, 'biome.json'), join(copy, 'biome.json'));
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function run(tool: string, ...args: string[]): { code: number; output: string } {
  try {
    return {
      code: 0,
      output: execFileSync(join(root, 'node_modules/.bin', tool), args, { cwd: copy, encoding: 'utf8', stdio: 'pipe' }),
    };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, output: stdout + stderr };
  }
}

/** Runs `check` with a file planted, and takes it away again. */
function planted<T>(name: string, text: string, check: () => T): T {
  writeFileSync(join(copy, name), text);
  try {
    return check();
  } finally {
    rmSync(join(copy, name));
  }
}

describe('the gates', () => {
  it('the import table holds for the whole of src/', () => {
    expect(findForbiddenImports(root, rooms)).toEqual([]);
  });

  it.each([
    ['a static import', "import type { ClusterApi } from '../api/port.ts';\nexport type A = ClusterApi;\n"],
    ['a late import', "export const load = () => import('../api/port.ts');\n"],
    ['a re-export', "export { builtinImage } from '../api/records.ts';\n"],
  ])('a forbidden import turns the lint red: %s', (_name, text) => {
    const found = planted('src/keep/planted.ts', text, () => findForbiddenImports(copy, rooms));
    expect(found).toEqual([expect.stringMatching(/^src\/keep\/planted\.ts:1: keep may not import api /)]);
  });

  it('a folder that is no room turns the lint red', () => {
    mkdirSync(join(copy, 'src/attic'));
    const found = planted('src/attic/planted.ts', 'export const one = 1;\n', () => findForbiddenImports(copy, rooms));
    expect(found).toEqual(['src/attic/planted.ts:1: "attic" is not a room of scripts/rooms.json']);
  });

  it('no file of src/ imports itself by way of others', () => {
    expect(findCircularImports(root)).toEqual([]);
  });

  it('a circle turns the lint red, also one of types alone', () => {
    mkdirSync(join(copy, 'src/keep/round'), { recursive: true });
    const found = planted('src/keep/round/a.ts', "import type { B } from './b.ts';\nexport type A = B[];\n", () =>
      planted('src/keep/round/b.ts', "\nexport type { C as B } from '../c.ts';\n", () =>
        planted('src/keep/c.ts', "export const load = () => import('./round/a.ts');\nexport type C = string;\n", () =>
          findCircularImports(copy),
        ),
      ),
    );
    expect(found).toEqual([
      'src/keep/round/b.ts:2: imports itself: src/keep/round/b.ts -> src/keep/c.ts -> src/keep/round/a.ts -> src/keep/round/b.ts',
    ]);
  });

  it('a type error turns the type check red', () => {
    expect(run('tsc').code).toBe(0);
    const { code, output } = planted('src/core/planted.ts', "export const size: number = 'large';\n", () => run('tsc'));
    expect(code).not.toBe(0);
    expect(output).toContain('src/core/planted.ts(1,14): error TS2322');
  });

  it('an `any` turns the linter red', () => {
    const text = 'export const read = (value: any): string => value.name;\n';
    const { code, output } = planted('src/core/planted.ts', text, () => run('biome', 'check', 'src/core/planted.ts'));
    expect(code).not.toBe(0);
    expect(output).toContain('noExplicitAny');
  });
});
