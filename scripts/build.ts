/** Bundles src/ into dist/: one entry for the command and one for each worker, with chunks that load late. */
import { globSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'rolldown';

const root = resolve(import.meta.dirname, '..');
const workers = globSync('src/**/*-worker.ts', { cwd: root });

/**
 * What a start loads together is one file: to find and open a file takes longer than to read what is in it. A group is these modules
 * and what they import, without that of the groups before it; what they import late has chunks of its own.
 */
const together = {
  start: ['package.json', 'src/cli/exit-codes.ts'],
  language: ['src/cli/command-line.ts', 'src/cli/commands/validate.ts'],
  run: [
    'src/cli/commands/run.ts',
    'src/cluster/dispatch/dispatcher.ts',
    'src/crunch/run-container.ts',
    'src/executor/host/host.ts',
  ],
};

const groups = Object.entries(together).map(([name, modules], index, { length }) => ({
  name,
  test: (id: string) => modules.includes(relative(root, id)),
  priority: length - index,
}));

for (const stale of ['dist', '.cache/compiled']) rmSync(join(root, stale), { recursive: true, force: true });
await build({
  cwd: root,
  input: ['src/cli/main.ts', ...workers],
  platform: 'node',
  external: ['quickjs-emscripten', /^@jitl\//],
  transform: { target: 'node22' },
  output: {
    dir: 'dist',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    // Names stay, for the places that errors tell.
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    codeSplitting: { groups },
  },
  // Modules of a group are there already when something imports them late.
  checks: { ineffectiveDynamicImport: false },
  logLevel: 'warn',
});
