import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { toSpacedJson } from '../../cwl/expression/evaluate.ts';
import { jobError } from '../errors.ts';
import type { Expressions } from '../evaluate.ts';
import { type FileObject, isFileObject, nameOf, withNames } from '../file-objects.ts';
import type { Requirements } from '../model.ts';
import { findRequirement } from '../requirements.ts';
import { checkBasename, checkRelativePath } from './names.ts';

/** One thing to be found in the output directory, or elsewhere in a container, before the tool starts. */
export interface WorkDirEntry {
  /** Relative to the output directory, or absolute. */
  readonly target: string;
  readonly content: { readonly object: FileObject } | { readonly text: string };
  readonly writable: boolean;
}

/** InitialWorkDirRequirement (CWL v1.2, section 5.5), its expressions evaluated, its names checked. */
export async function evaluateWorkDir(
  requirements: Requirements,
  expressions: Expressions,
  targets: WorkDirTargets,
): Promise<WorkDirEntry[]> {
  const requirement = findRequirement(requirements, 'InitialWorkDirRequirement');
  if (!requirement) return [];
  const listing = await expressions.evaluate(requirement.fields.listing ?? [], listingField);
  const entries: WorkDirEntry[] = [];
  const reader = { expressions, targets };
  for (const item of Array.isArray(listing) ? listing : [listing]) entries.push(...(await readItem(item, reader)));
  return entries;
}

const listingField = 'InitialWorkDirRequirement.listing';

export interface WorkDirTargets {
  readonly outdir: string;
  /** Only where DockerRequirement is a requirement: then such a path is certainly inside a container. */
  readonly mayBeAbsolute: boolean;
}

interface Reader {
  readonly expressions: Expressions;
  readonly targets: WorkDirTargets;
}

/** An item: null, a File or Directory, a list of these, a Dirent, or an expression that gives one of them. */
async function readItem(item: unknown, reader: Reader): Promise<WorkDirEntry[]> {
  if (item === null) return [];
  if (Array.isArray(item)) {
    const nested = [];
    for (const inner of item) nested.push(...(await readItem(inner, reader)));
    return nested;
  }
  if (isFileObject(item)) return [toEntry(item, undefined, item.writable === true, reader)];
  if (isJsonObject(item) && 'entry' in item) return readDirent(item as unknown as Dirent, reader);
  if (typeof item === 'string') {
    const value = await reader.expressions.evaluate(item, listingField);
    if (value !== item) return readItem(value, reader);
  }
  throw badListing(`expected null, a File, a Directory or a Dirent, got ${JSON.stringify(item)?.slice(0, 120)}`);
}

interface Dirent {
  readonly entry: JsonValue;
  readonly entryname?: JsonValue;
  readonly writable?: JsonValue;
}

async function readDirent(dirent: Dirent, reader: Reader): Promise<WorkDirEntry[]> {
  const { expressions } = reader;
  const entry = await expressions.evaluateText(dirent.entry, `${listingField}.entry`);
  const entryname = await expressions.evaluate(dirent.entryname ?? null, `${listingField}.entryname`);
  const writable = dirent.writable === true;
  if (entry === null) return [];
  if (entryname !== null && typeof entryname !== 'string') {
    throw badListing(`expected entryname to be a string, got ${JSON.stringify(entryname)}`);
  }
  if (isFileObject(entry)) return [toEntry(entry, entryname ?? undefined, writable, reader)];
  if (Array.isArray(entry) && entry.length > 0 && entry.every(isFileObject)) {
    if (entryname !== null)
      throw badListing(`expected no entryname beside a list of Files, got ${JSON.stringify(entryname)}`);
    return entry.map((object) => toEntry(object, undefined, writable, reader));
  }
  if (entryname === null) throw badListing('expected an entryname beside text, got none');
  const text = typeof entry === 'string' ? entry : toSpacedJson(entry);
  return [{ target: toTarget(entryname, reader), content: { text }, writable }];
}

function toEntry(object: FileObject, entryname: string | undefined, writable: boolean, reader: Reader): WorkDirEntry {
  if (entryname !== undefined) {
    const target = toTarget(entryname, reader);
    const basename = target.slice(target.lastIndexOf('/') + 1);
    return { target, content: { object: withNames({ ...object, basename }) }, writable };
  }
  const name = checkBasename(nameOf(object) ?? '', 'basename');
  return { target: name, content: { object: withNames({ ...object, basename: name }) }, writable };
}

function toTarget(entryname: string, { targets }: Reader): string {
  const { outdir, mayBeAbsolute } = targets;
  if (entryname.startsWith(`${outdir}/`)) return checkRelativePath(entryname.slice(outdir.length + 1), 'entryname');
  if (!entryname.startsWith('/')) return checkRelativePath(entryname, 'entryname');
  if (mayBeAbsolute) return `/${checkRelativePath(entryname.slice(1), 'entryname')}`;
  throw jobError('job/bad-name', `entryname: expected a relative path, got ${JSON.stringify(entryname)}`, {
    hint: 'an absolute path is allowed only with DockerRequirement under "requirements"',
  });
}

const badListing = (problem: string) =>
  jobError('job/bad-requirement', `${listingField}: ${problem}`, {
    hint: 'list Files, Directories, Dirents with "entry" and "entryname", or expressions that return them',
  });
