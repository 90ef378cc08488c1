/** Bundles src/ into dist/: one entry for the command and one for each worker, with shared chunks that load late. */
import { globSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const workers = globSync('src/**/*-worker.ts', { cwd: root });

for (const stale of ['dist', '.cache/compiled']) rmSync(join(root, stale), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts', ...workers],
  entryNames: '[name]',
  chunkNames: 'chunks/[name]-[hash]',
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: false,
  external: ['quickjs-emscripten', '@jitl/*'],
  banner: {
    js: "import { createRequire as $createRequire } from 'node:module';const require = $createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
