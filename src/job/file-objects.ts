import { type CwlDirectory, type CwlFile, type CwlValue, isDirectory, isFile } from '../cwl/values.ts';

export type FileObject = CwlFile | CwlDirectory;

export const isFileObject = (value: unknown): value is FileObject => isFile(value) || isDirectory(value);

/** Every File and Directory in `value`, outermost only: not their secondaryFiles or listing. */
export function* fileObjects(value: unknown): Generator<FileObject> {
  if (typeof value !== 'object' || value === null) return;
  if (isFileObject(value)) yield value;
  else for (const inner of Object.values(value)) yield* fileObjects(inner);
}

/** Every File and Directory in `value`, those in secondaryFiles and listing too. */
export function* allFileObjects(value: unknown): Generator<FileObject> {
  for (const object of fileObjects(value)) {
    yield object;
    yield* allFileObjects(attached(object));
  }
}

function attached(object: FileObject): readonly FileObject[] {
  const inner = isFile(object) ? object.secondaryFiles : object.listing;
  return inner ?? [];
}

/** Replaces the outermost Files and Directories; what holds none is shared, not copied. */
export function mapFileObjects<T>(value: T, map: (object: FileObject) => FileObject): T {
  if (typeof value !== 'object' || value === null) return value;
  if (isFileObject(value)) return map(value) as T;
  if (Array.isArray(value)) {
    const mapped = value.map((item) => mapFileObjects(item as unknown, map));
    return (mapped.some((item, i) => item !== value[i]) ? mapped : value) as T;
  }
  const entries = Object.entries(value).map(([key, item]) => [key, mapFileObjects(item as unknown, map)] as const);
  return (
    entries.some(([key, item]) => item !== (value as Record<string, unknown>)[key])
      ? Object.fromEntries(entries)
      : value
  ) as T;
}

/** As `mapFileObjects`; one after another, in order. */
export async function mapFileObjectsAsync<T>(value: T, map: (object: FileObject) => Promise<FileObject>): Promise<T> {
  const mapped = new Map<FileObject, FileObject>();
  for (const object of fileObjects(value)) mapped.set(object, await map(object));
  return mapped.size === 0 ? value : mapFileObjects(value, (object) => mapped.get(object) ?? object);
}

/** Maps an object and everything attached to it, the inner ones first. */
export function mapTree(object: FileObject, map: (object: FileObject) => FileObject): FileObject {
  if (isFile(object)) {
    if (!object.secondaryFiles) return map(object);
    return map({ ...object, secondaryFiles: object.secondaryFiles.map((inner) => mapTree(inner, map)) });
  }
  if (!object.listing) return map(object);
  return map({ ...object, listing: object.listing.map((inner) => mapTree(inner, map)) });
}

/** The last part of a location's or path's path, unescaped. */
export function locationName(location: string): string {
  const path = location.replace(/[?#].*$/s, '').replace(/\/+$/, '');
  const name = path.slice(path.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(name.replace(/^keep:/, ''));
  } catch {
    return name;
  }
}

/** Its `basename`, or else what its location or path ends in; undefined for a literal without a name. */
export function nameOf(object: FileObject): string | undefined {
  if (typeof object.basename === 'string') return object.basename;
  if (object.location !== undefined) return locationName(object.location);
  if (object.path === undefined) return undefined;
  const path = object.path.replace(/\/+$/, '');
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `nameroot` and `nameext` of CWL v1.2, "File": one dot at the start belongs to the root. */
export function splitName(basename: string): { readonly nameroot: string; readonly nameext: string } {
  const leading = /^\.*/.exec(basename)?.[0].length ?? 0;
  const dot = basename.lastIndexOf('.');
  if (dot < Math.max(leading, 1)) return { nameroot: basename, nameext: '' };
  return { nameroot: basename.slice(0, dot), nameext: basename.slice(dot) };
}

/** Sets the names that expressions see: basename, nameroot and nameext, here and in everything attached. */
export function withNames<T extends CwlValue | undefined>(value: T): T {
  return mapFileObjects(value, (outer) =>
    mapTree(outer, (object) => {
      const basename = nameOf(object);
      if (basename === undefined) return object;
      return isFile(object) ? { ...object, basename, ...splitName(basename) } : { ...object, basename };
    }),
  );
}

/** Takes away what belongs to one process only: paths, and contents of what has a location. */
export function withoutPaths<T extends CwlValue | undefined>(value: T): T {
  return withoutFields(value, (object) =>
    object.location === undefined ? ['path', 'dirname'] : ['path', 'dirname', 'contents'],
  );
}

/** Takes away what follows from the basename: the form in which a run gives its outputs. */
export function withoutNames<T extends CwlValue | undefined>(value: T): T {
  return withoutFields(value, () => ['nameroot', 'nameext']);
}

function withoutFields<T extends CwlValue | undefined>(value: T, fields: (object: FileObject) => readonly string[]): T {
  return mapFileObjects(value, (outer) =>
    mapTree(outer, (object) => {
      const unwanted = fields(object);
      return Object.fromEntries(
        Object.entries(object).filter(([key]) => !unwanted.includes(key)),
      ) as unknown as FileObject;
    }),
  );
}
