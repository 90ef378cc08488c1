import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import manifest from '../../../package.json' with { type: 'json' };
import { HallmarkError, toMessage } from '../../core/errors.ts';
import { InvalidDocumentError } from '../../cwl/errors.ts';
import { loadDocument } from '../../cwl/load.ts';
import type { Problem } from '../../cwl/problem.ts';
import { displayName } from '../../cwl/syntax/node.ts';
import { withoutFragment } from '../../cwl/syntax/uri.ts';
import { parseCommandArgs } from '../arguments/command-args.ts';
import { usageOf } from '../arguments/command-help.ts';
import { toDocumentUri } from '../document/document-uri.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatError, formatProblem, toProblemJson } from '../report/report-error.ts';
import { createReach } from '../wire/documents.ts';

const usage = usageOf('validate');
const options = {
  json: { type: 'boolean' },
  sarif: { type: 'boolean' },
  'enable-dev': { type: 'boolean' },
  'non-strict': { type: 'boolean' },
  'allow-read': { type: 'string', multiple: true },
  'allow-private-network': { type: 'boolean' },
} as const;

/** One document and what is wrong with it. */
interface Checked {
  readonly uri: string;
  readonly warnings: readonly Problem[];
  /** Undefined: it is valid. */
  readonly error?: unknown;
}

/** `cwl-runner validate FILE|DIR… [--json|--sarif]`: checks every document; all that is wrong comes at once. */
export async function validateCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, options, 'validate');
  if (positionals.length === 0)
    throw cliError('cli/usage', 'validate: expected a document or a folder, got none', { hint: usage });
  if (values.json && values.sarif)
    throw cliError('cli/usage', 'validate: expected one of --json and --sarif, got both', { hint: usage });
  const reach = createReach({ allowRead: values['allow-read'], allowPrivateNetwork: values['allow-private-network'] });
  const settings = {
    fetcher: reach.fetcher,
    enableDev: values['enable-dev'] === true,
    strict: !values['non-strict'],
    whole: true,
  };
  const checked: Checked[] = [];
  for (const name of positionals) reach.trust(`${pathToFileURL(resolve(name)).href}/.`);
  for (const uri of (await Promise.all(positionals.map(findDocuments))).flat()) {
    reach.trust(uri);
    const done = await loadDocument(uri, settings).catch((error: unknown) => ({ error, warnings: [] }));
    checked.push({ uri, ...done });
  }
  await report(checked, values);
  return checked.some(({ error }) => error !== undefined) ? exitCodes.failure : exitCodes.success;
}

interface Form {
  readonly json?: boolean | undefined;
  readonly sarif?: boolean | undefined;
  readonly debug?: boolean | undefined;
}

async function report(checked: readonly Checked[], { json, sarif, debug = false }: Form): Promise<void> {
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  const invalid = checked.filter(({ error }) => error !== undefined).length;
  if (sarif) {
    const { toSarif } = await import('../../cwl/output/sarif.ts');
    const folder = `${pathToFileURL(process.cwd()).href}/`;
    print(toSarif(problemsIn(checked), { version: manifest.version, folder }));
  } else if (json) {
    print({ checked: checked.length, invalid, problems: problemsIn(checked).map(toProblemJson) });
  } else {
    for (const { warnings, error } of checked) {
      for (const warning of warnings) process.stderr.write(`${formatProblem(warning)}\n`);
      if (error !== undefined) process.stderr.write(`${formatError(error, { debug })}\n`);
    }
    process.stdout.write(`${checked.length - invalid} valid, ${invalid} invalid\n`);
  }
}

/** A document that several others run has its problems told once. */
function problemsIn(checked: readonly Checked[]): Problem[] {
  const problems = checked.flatMap(({ uri, warnings, error }) => [...warnings, ...problemsOf(uri, error)]);
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function problemsOf(uri: string, error: unknown): readonly Problem[] {
  if (error === undefined) return [];
  if (error instanceof InvalidDocumentError) return error.problems;
  const { where, hint } = error instanceof HallmarkError ? error : {};
  const position = {
    file: where?.file ?? displayName(withoutFragment(uri)),
    line: where?.line ?? 1,
    column: where?.column ?? 1,
  };
  const problem = { severity: 'error', rule: 'unreadable', message: toMessage(error), position } as const;
  return [{ ...problem, ...(hint === undefined ? {} : { hint }), length: 1, sourceLine: '' }];
}

/** URIs: a document as the command itself takes it; of a folder, every `.cwl` below it. */
async function findDocuments(name: string): Promise<string[]> {
  const found = await stat(name).catch(() => undefined);
  if (!found?.isDirectory()) return [await toDocumentUri(name)];
  const entries = await readdir(name, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.cwl'))
    .map((entry) => resolve(join(entry.parentPath, entry.name)))
    .sort()
    .map((path) => pathToFileURL(path).href);
}
