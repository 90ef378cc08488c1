import type { Position, Process } from '../../cwl/model.ts';
import type { CwlFile, CwlObject } from '../../cwl/values.ts';
import { jobError } from '../errors.ts';
import { bindExpressions, type ExpressionEngine } from '../evaluate.ts';
import { type FileObject, mapFileObjects, nameOf, withNames } from '../file-objects.ts';
import type { Requirements } from '../model.ts';
import { refuseNewHostFiles } from './given-files.ts';
import { directFiles, evaluatePattern, type FileParameter, fileParameters, isRequired } from './secondary-files.ts';

export interface DiscoverOptions {
  readonly javascript: ExpressionEngine;
  readonly requirements: Requirements;
  /** What lies at a location of the same kind as the primary file's: `file:`, `keep:`, …; undefined: nothing. */
  readonly probe: (location: string) => Promise<'File' | 'Directory' | undefined>;
}

/**
 * Adds to the Files of an input object what their parameters ask to lie beside them, where it does (CWL v1.2,
 * SecondaryFileSchema). Only for the inputs of a whole run: between steps a File brings its secondaryFiles along. Fails with
 * `job/missing-secondary-file`.
 */
export async function discoverSecondaryFiles(
  process: Process,
  given: CwlObject,
  options: DiscoverOptions,
): Promise<CwlObject> {
  const inputs = withNames(given) as CwlObject;
  const { cwlVersion, position } = process;
  const expressions = bindExpressions({ ...options, inputs, cwlVersion, where: position });
  const search = { expressions, inputs, probe: options.probe };
  const completed = new Map<FileObject, FileObject>();
  for (const input of process.inputs) {
    for (const parameter of fileParameters(input, inputs[input.id], input.id)) {
      for (const file of directFiles(parameter.value)) {
        if (parameter.secondaryFiles.length === 0) continue;
        const complete = await completeFile(file, { ...parameter, position: input.position }, search);
        completed.set(file, complete);
      }
    }
  }
  return completed.size === 0 ? inputs : mapFileObjects(inputs, (object) => completed.get(object) ?? object);
}

interface Search {
  readonly expressions: ReturnType<typeof bindExpressions>;
  readonly inputs: CwlObject;
  readonly probe: DiscoverOptions['probe'];
}

async function completeFile(
  file: CwlFile,
  parameter: FileParameter & { readonly position: Position },
  { expressions, inputs, probe }: Search,
): Promise<CwlFile> {
  const beside = new Map((file.secondaryFiles ?? []).map((object) => [nameOf(object), object]));
  for (const entry of parameter.secondaryFiles) {
    for (const wanted of await evaluatePattern(file, entry, expressions)) {
      const name = typeof wanted === 'string' ? wanted : nameOf(wanted);
      if (beside.has(name) || name === undefined) continue;
      const location = locationOf(file, name);
      const named = typeof wanted === 'string' ? { class: 'File', location } : wanted;
      refuseNewHostFiles(named, inputs, `secondaryFiles of ${parameter.path}`, parameter.position);
      const isPlaced = typeof wanted !== 'string' && wanted.location !== undefined;
      const found = isPlaced ? wanted : await find(location, name, probe);
      if (found) beside.set(name, found);
      else if (await isRequired(file, entry, expressions, true)) throw missing(parameter.path, file, name);
    }
  }
  return beside.size === 0 ? file : withNames({ ...file, secondaryFiles: [...beside.values()] });
}

/** Where a name leads to; undefined beside a literal. */
function locationOf(file: CwlFile, name: string): string | undefined {
  if (file.location === undefined) return undefined;
  const parent = file.location.slice(0, file.location.lastIndexOf('/') + 1);
  return parent + encodeURIComponent(name).replaceAll('%2F', '/');
}

async function find(
  location: string | undefined,
  name: string,
  probe: DiscoverOptions['probe'],
): Promise<FileObject | undefined> {
  if (location === undefined) return undefined;
  const kind = await probe(location);
  return kind && { class: kind, location, basename: name.slice(name.lastIndexOf('/') + 1) };
}

const missing = (path: string, file: CwlFile, name: string) =>
  jobError(
    'job/missing-secondary-file',
    `${path}: expected ${JSON.stringify(name)} beside ${JSON.stringify(nameOf(file))}, found none`,
    {
      hint: 'put the file there, or list it in secondaryFiles of the input',
    },
  );
