import { isFile } from '../../cwl/values.ts';
import { formatKeepLocation } from '../../keep/location.ts';
import { ancestors } from '../../keep/paths.ts';
import { jobError } from '../errors.ts';
import { type FileObject, nameOf } from '../file-objects.ts';
import type { JobMount, JobPaths } from '../model.ts';
import { draftCollection } from './collection-draft.ts';
import type { WorkDirEntry } from './initial-work-dir.ts';
import type { StagingOptions } from './staging.ts';

export interface WorkDirOptions extends StagingOptions {
  readonly paths: JobPaths;
  readonly inContainer: boolean;
  /** Values that may be in no collection: a text that holds one becomes a secret mount. */
  readonly secrets: readonly string[];
}

export interface StagedWorkDir {
  readonly mounts: readonly JobMount[];
  /** `location` of an input → the path at which it is seen now. */
  readonly moved: ReadonlyMap<string, string>;
  /** `location` → path relative to the output directory, of writable entries. */
  readonly writable: ReadonlyMap<string, string>;
}

/**
 * All entries in one combined collection, each mounted at its target: the mounts that arvados-cwl-runner makes, so that
 * containers of either can be reused by the other.
 */
export async function stageWorkDir(entries: readonly WorkDirEntry[], options: WorkDirOptions): Promise<StagedWorkDir> {
  const { staged } = options;
  const { outdir } = options.paths;
  const draft = draftCollection(options.keep, staged.blocks);
  const textMounts: JobMount[] = [];
  const visible: WorkDirEntry[] = [];
  for (const entry of entries) {
    const { target, content } = entry;
    if ('object' in content) await draft.add(inCollection(target), content.object);
    else if (staysText(content.text, options)) {
      textMounts.push(toTextMount(content.text, toAbsolute(target, outdir), options));
      continue;
    } else draft.addText(inCollection(target), content.text);
    visible.push(entry);
  }
  refuseOverlap(entries, options);
  if (draft.isEmpty) return { mounts: textMounts, moved: new Map(), writable: new Map() };
  const collection = draft.build();
  staged.collections.push(collection);
  const mounts = outermost(visible).map(({ target, writable }): JobMount => {
    const location = formatKeepLocation(collection.portableDataHash, inCollection(target));
    return { kind: 'keep', location, target: toAbsolute(target, outdir), writable };
  });
  return { mounts: [...mounts, ...textMounts], ...movedObjects(visible, outdir) };
}

const isSecret = (text: string, { secrets }: WorkDirOptions): boolean =>
  secrets.some((secret) => text.includes(secret));

/** Paths of the host are put in place of those that a job knows where the text is seen, which cannot be in a collection. */
const staysText = (text: string, options: WorkDirOptions): boolean =>
  isSecret(text, options) || (!options.inContainer && Object.values(options.paths).some((path) => text.includes(path)));

const toTextMount = (content: string, target: string, options: WorkDirOptions): JobMount => ({
  kind: 'text',
  content,
  target,
  secret: isSecret(content, options),
});

const inCollection = (target: string): string => (target.startsWith('/') ? target.slice(1) : target);
const toAbsolute = (target: string, outdir: string): string =>
  target.startsWith('/') ? target : `${outdir}/${target}`;

/** By target, those inside another entry left out; secondaryFiles beside their file stand for themselves. */
function outermost(entries: readonly WorkDirEntry[]): Pick<WorkDirEntry, 'target' | 'writable'>[] {
  const all = entries.flatMap((entry) => [entry, ...besideEntries(entry)]);
  const sorted = all.sort((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0));
  const kept = new Map<string, Pick<WorkDirEntry, 'target' | 'writable'>>();
  for (const entry of sorted) {
    const isInside = kept.has(entry.target) || ancestors(entry.target).some((directory) => kept.has(directory));
    if (!isInside) kept.set(entry.target, entry);
  }
  return [...kept.values()];
}

function besideEntries({ target, content, writable }: WorkDirEntry): WorkDirEntry[] {
  if (!('object' in content) || !isFile(content.object)) return [];
  const parent = target.slice(0, target.lastIndexOf('/') + 1);
  return (content.object.secondaryFiles ?? []).flatMap((object) => {
    const entry = { target: parent + nameOf(object), content: { object }, writable };
    return [entry, ...besideEntries(entry)];
  });
}

/** Where inputs that were staged are seen from now on, what lies inside staged Directories too. */
function movedObjects(entries: readonly WorkDirEntry[], outdir: string) {
  const moved = new Map<string, string>();
  const writable = new Map<string, string>();
  const visit = (object: FileObject, target: string, isWritable: boolean) => {
    if (object.location !== undefined) {
      moved.set(object.location, toAbsolute(target, outdir));
      if (isWritable && !target.startsWith('/')) writable.set(object.location, target);
    }
    const parent = target.slice(0, target.lastIndexOf('/') + 1);
    if (isFile(object))
      for (const beside of object.secondaryFiles ?? []) visit(beside, parent + nameOf(beside), isWritable);
    else for (const inner of object.listing ?? []) visit(inner, `${target}/${nameOf(inner)}`, isWritable);
  };
  for (const { target, content, writable: isWritable } of entries) {
    if ('object' in content) visit(content.object, target, isWritable);
  }
  return { moved, writable };
}

/** An absolute entry may not hide Keep, the temporary directory, or the directories above the output directory. */
function refuseOverlap(entries: readonly WorkDirEntry[], { paths }: WorkDirOptions): void {
  for (const { target } of entries) {
    if (!target.startsWith('/')) continue;
    const hidden = [paths.outdir, paths.keep].find((path) => path === target || path.startsWith(`${target}/`));
    const inside = target.startsWith(`${paths.keep}/`) ? paths.keep : hidden;
    if (inside === undefined) continue;
    throw jobError('job/bad-name', `entryname: ${JSON.stringify(target)} would hide ${inside}`, {
      hint: 'choose a path that the runner does not use',
    });
  }
}
