import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { loadProcess } from '../../cwl/load.ts';
import { type CommandHelp, commandHelp, isCommandName } from '../arguments/command-help.ts';
import { toDocumentUri } from '../document/document-uri.ts';
import type { Flag } from '../options/flag.ts';
import { runOptions } from '../options/options.ts';
import { createReach } from '../wire/documents.ts';

/** What may stand for the last of `words`, the ones behind the command's name: commands, flags, choices, files and inputs. */
export async function listCandidates(words: readonly string[]): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const flag = optionOf(before.at(-1) ?? '');
  if (flag && flag.type !== 'boolean')
    return starting(flag.choices?.map(String) ?? (await listFiles(current)), current);
  const document = before.find((word) => /\.cwl(#|$)/.test(word));
  if (current.startsWith('-')) return starting([...(await inputsOf(document)), ...flagsOf(before[0] ?? '')], current);
  if (document !== undefined) return listFiles(current);
  const files = await listFiles(current, '.cwl');
  return before.length === 0 ? [...starting(Object.keys(commandHelp), current), ...files] : files;
}

const starting = (candidates: readonly string[], current: string): string[] =>
  [...new Set(candidates)].filter((candidate) => candidate.startsWith(current));

const optionOf = (word: string): Flag | undefined =>
  word.startsWith('--') && Object.hasOwn(runOptions, word.slice(2)) ? runOptions[word.slice(2)] : undefined;

/** Those that the command takes which comes first; the ones of a run where none does. */
function flagsOf(first: string): string[] {
  if (!isCommandName(first)) return runFlags();
  const { flags = {}, takesRunFlags = false }: CommandHelp = commandHelp[first];
  const own = Object.keys(flags).flatMap((flag) => flag.match(/--[a-z-]+/g) ?? []);
  return [...own, ...(takesRunFlags ? runFlags() : ['--help'])];
}

const runFlags = (): string[] => [
  '--help',
  '--version',
  ...Object.entries(runOptions).flatMap(([name, { type, default: initial, refused }]) => {
    if (refused !== undefined) return [];
    return type === 'boolean' && initial !== undefined ? [`--${name}`, `--no-${name}`] : [`--${name}`];
  }),
];

/** None where the document cannot be loaded: completing is no place for errors. */
async function inputsOf(document: string | undefined): Promise<string[]> {
  if (document === undefined) return [];
  try {
    const uri = await toDocumentUri(document);
    const reach = createReach();
    reach.trust(uri);
    const { inputs } = await loadProcess(uri, { fetcher: reach.fetcher });
    return inputs.map(({ id }) => `--${id}`);
  } catch {
    return [];
  }
}

/** Folders end with a slash; hidden ones only when a dot asks for them. */
async function listFiles(current: string, ending = ''): Promise<string[]> {
  const at = current.lastIndexOf('/') + 1;
  const [folder, start] = [current.slice(0, at), current.slice(at)];
  const entries = await readdir(folder === '' ? '.' : dirname(`${folder}x`), { withFileTypes: true }).catch(() => []);
  return entries
    .filter(({ name }) => name.startsWith(start) && (start !== '' || !name.startsWith('.')) && !name.includes('\n'))
    .filter((entry) => entry.isDirectory() || entry.name.endsWith(ending))
    .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
    .sort();
}
