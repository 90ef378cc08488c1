import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { type InputObject, loadInputObject, parseInputObject } from '../../cwl/input/job.ts';
import type { Override } from '../../cwl/overrides.ts';
import type { CwlObject } from '../../cwl/values.ts';
import type { RunFlags } from '../options/options.ts';
import { commandLineSource } from '../report/report-error.ts';
import type { Reach } from '../wire/documents.ts';
import { toDocumentUri } from './document-uri.ts';

/** What the command line names: a document and where its inputs are. */
export interface NamedInputs {
  readonly document: string;
  readonly inputsFile?: string;
  /** Values as an earlier run had them, instead of an inputs file. */
  readonly inputValues?: CwlObject;
}

export interface CommandInputs {
  readonly documentUri: string;
  readonly job: InputObject;
  /** Of the file that holds the inputs, where there is one. */
  readonly jobUri?: string;
}

/** The document and its inputs; a job file with `cwl:tool` stands for both. */
export async function readCommandInputs(
  { document, inputsFile, inputValues }: NamedInputs,
  { basedir }: RunFlags,
  { fetcher, trust }: Reach,
): Promise<CommandInputs> {
  const documentUri = await toDocumentUri(document);
  trust(documentUri);
  const base = pathToFileURL(`${resolve(basedir ?? '.')}/`).href;
  const empty = parseInputObject('{}', `${base}${commandLineSource}`);
  if (inputValues) return { documentUri, job: { ...empty, values: inputValues } };
  const piped = inputsFile === undefined ? undefined : await readPiped(inputsFile);
  if (piped !== undefined) return { documentUri, job: parseInputObject(piped, `${base}stdin.yml`) };
  if (inputsFile !== undefined) {
    const jobUri = await toDocumentUri(inputsFile);
    trust(jobUri);
    if (basedir === undefined) return { documentUri, jobUri, job: await loadInputObject(jobUri, fetcher) };
    const job = parseInputObject(await fetcher.fetchText(jobUri), `${base}${basename(inputsFile)}`);
    return { documentUri, jobUri, job };
  }
  const job = /\.(ya?ml|json)$/.test(document)
    ? await loadInputObject(documentUri, fetcher).catch(() => undefined)
    : undefined;
  return job?.tool === undefined ? { documentUri, job: empty } : { documentUri: job.tool, jobUri: documentUri, job };
}

/** Text of standard input, or of a pipe that has a name: `<(…)` of a shell is `/dev/fd/63`, which can be read once. */
async function readPiped(name: string): Promise<string | undefined> {
  if (name === '-') return readAll(process.stdin);
  const stats = await stat(name).catch(() => undefined);
  return stats === undefined || stats.isFile() || stats.isDirectory() ? undefined : readFile(name, 'utf8');
}

/** `cwltool:overrides` of the file that `--overrides` names. */
export async function readOverridesFile({ overrides }: RunFlags, reach: Reach): Promise<readonly Override[]> {
  if (overrides === undefined) return [];
  const uri = await toDocumentUri(overrides);
  reach.trust(uri);
  return (await loadInputObject(uri, reach.fetcher)).overrides;
}
