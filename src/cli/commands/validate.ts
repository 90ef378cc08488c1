import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadDocument } from '../../cwl/load.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatError, toErrorJson } from '../report-error.ts';
import { cliError } from '../usage-error.ts';
import { createFetcher } from '../wire/documents.ts';

/** `cwl-runner validate FILE|DIR… [--json]`: checks every document; all that is wrong comes at once. */
export async function validateCommand(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith('-'));
  if (names.length === 0)
    throw cliError('cli/usage', 'expected a document or a folder, got none', { hint: 'cwl-runner validate FILE|DIR…' });
  const files = (await Promise.all(names.map(findDocuments))).flat();
  const fetcher = createFetcher();
  const problems: unknown[] = [];
  let invalid = 0;
  for (const file of files) {
    try {
      await loadDocument(pathToFileURL(file).href, { fetcher });
    } catch (error) {
      invalid += 1;
      problems.push(toErrorJson(error));
      if (!args.includes('--json'))
        process.stderr.write(`${formatError(error, { debug: args.includes('--debug') })}\n`);
    }
  }
  if (args.includes('--json'))
    process.stdout.write(`${JSON.stringify({ checked: files.length, invalid, problems }, null, 2)}\n`);
  else process.stdout.write(`${files.length - invalid} valid, ${invalid} invalid\n`);
  return invalid === 0 ? exitCodes.success : exitCodes.failure;
}

/** A file as it is; of a folder, every `.cwl` below it. */
async function findDocuments(name: string): Promise<string[]> {
  const found = await stat(name).catch(() => undefined);
  if (!found) throw cliError('cli/not-found', `cannot read ${name}: it does not exist`);
  if (!found.isDirectory()) return [resolve(name)];
  const entries = await readdir(name, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.cwl'))
    .map((entry) => resolve(join(entry.parentPath, entry.name)))
    .sort();
}
