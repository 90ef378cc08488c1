/** The command. Everything but `--version` is loaded when it is needed: start-up counts. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { exitCodes } from './exit-codes.ts';

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && args[0] === '--version') {
    process.stdout.write(`cwl-runner ${manifest.version}\n`);
    return exitCodes.success;
  }
  // Compiled code is kept between starts; where nothing can be written, it is not.
  enableCompileCache(join(import.meta.dirname, '../.cache/compiled'));
  const { runCommandLine } = await import('./command-line.ts');
  return runCommandLine(args);
}

// A reader that has enough (`| head`) or a terminal that went away ends the printing, not the work.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
}

process.exitCode = await main(process.argv.slice(2));
