/** Bundles src/ into dist/: the command with chunks that load late, and each worker. */
import { globSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type BuildOptions, build, type OutputOptions } from 'rolldown';

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

const common: BuildOptions = {
  cwd: root,
  platform: 'node',
  // It finds its WebAssembly beside itself.
  external: [/^@jitl\//],
  transform: { target: 'node22' },
  // Modules of a group are there already when something imports them late.
  checks: { ineffectiveDynamicImport: false },
  logLevel: 'warn',
};
const output: OutputOptions = {
  dir: 'dist',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  // Names stay, for the places that errors tell.
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
};

for (const stale of ['dist', '.cache/compiled']) rmSync(join(root, stale), { recursive: true, force: true });
await build({ ...common, input: 'src/cli/main.ts', output: { ...output, codeSplitting: { groups } } });
// A thread shares nothing: it loads one file.
for (const input of workers) await build({ ...common, input, output: { ...output, codeSplitting: false } });
