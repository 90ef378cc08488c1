import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CwlFile, CwlObject } from '../../cwl/values.ts';
import { type FileObject, fileObjects, mapTree, withNames } from '../../job/file-objects.ts';
import type { RunFlags } from '../options/options.ts';

type RelativeTo = Pick<RunFlags, 'relativeDeps'>;

const format = 'https://www.iana.org/assignments/media-types/application/cwl';

/** A document as a File, what it reads as its secondaryFiles: the form of cwltool's `--print-deps`. */
export function documentDependencies(uri: string, sources: readonly string[], flags: RelativeTo): FileObject {
  const primary = uri.split('#')[0] ?? uri;
  const others = sources.filter((source) => source !== primary);
  const files = others.map((location) => ({ class: 'File', location, format }) as const);
  return toDependencies(primary, files, flags);
}

/** An inputs file as a File, the Files and Directories that it names as its secondaryFiles (`--print-input-deps`). */
export function inputDependencies(uri: string, values: CwlObject, flags: RelativeTo): FileObject {
  return toDependencies(uri, [...fileObjects(values)], flags);
}

function toDependencies(location: string, others: readonly FileObject[], { relativeDeps }: RelativeTo): FileObject {
  const base = relativeDeps === 'cwd' ? process.cwd() : folderOf(location);
  const shown = others.map((object) => mapTree(withNames(object), (one) => withLocation(one, base)));
  const primary: CwlFile = { class: 'File', location, format, ...(shown.length > 0 && { secondaryFiles: shown }) };
  return withLocation(primary, base);
}

const withLocation = (object: FileObject, base: string | undefined): FileObject =>
  base !== undefined && object.location?.startsWith('file:')
    ? { ...object, location: relative(base, fileURLToPath(object.location)) }
    : object;

const folderOf = (uri: string): string | undefined =>
  uri.startsWith('file:') ? dirname(fileURLToPath(uri)) : undefined;
