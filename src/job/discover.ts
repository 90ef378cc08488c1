import type { Process, SecondaryFile } from '../cwl/model.ts';
import type { CwlFile, CwlObject } from '../cwl/values.ts';
import { jobError } from './errors.ts';
import { bindExpressions, type ExpressionEngine } from './evaluate.ts';
import { type FileObject, mapFileObjects, nameOf, withNames } from './file-objects.ts';
import type { Requirements } from './model.ts';
import { directFiles, evaluatePattern, fileParameters, isRequired } from './secondary-files.ts';

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
  const completed = new Map<FileObject, FileObject>();
  for (const input of process.inputs) {
    for (const parameter of fileParameters(input, inputs[input.id], input.id)) {
      for (const file of directFiles(parameter.value)) {
        if (parameter.secondaryFiles.length === 0) continue;
        const complete = await completeFile(file, parameter, { expressions, probe: options.probe });
        completed.set(file, complete);
      }
    }
  }
  return completed.size === 0 ? inputs : mapFileObjects(inputs, (object) => completed.get(object) ?? object);
}

interface Search {
  readonly expressions: ReturnType<typeof bindExpressions>;
  readonly probe: DiscoverOptions['probe'];
}

async function completeFile(
  file: CwlFile,
  parameter: { readonly path: string; readonly secondaryFiles: readonly SecondaryFile[] },
  { expressions, probe }: Search,
): Promise<CwlFile> {
  const beside = new Map((file.secondaryFiles ?? []).map((object) => [nameOf(object), object]));
  for (const entry of parameter.secondaryFiles) {
    for (const wanted of await evaluatePattern(file, entry, expressions)) {
      const name = typeof wanted === 'string' ? wanted : nameOf(wanted);
      if (beside.has(name) || name === undefined) continue;
      const found =
        typeof wanted !== 'string' && wanted.location !== undefined ? wanted : await find(file, name, probe);
      if (found) beside.set(name, found);
      else if (await isRequired(file, entry, expressions, true)) throw missing(parameter.path, file, name);
    }
  }
  return beside.size === 0 ? file : withNames({ ...file, secondaryFiles: [...beside.values()] });
}

async function find(file: CwlFile, name: string, probe: DiscoverOptions['probe']): Promise<FileObject | undefined> {
  if (file.location === undefined) return undefined;
  const parent = file.location.slice(0, file.location.lastIndexOf('/') + 1);
  const location = parent + encodeURIComponent(name).replaceAll('%2F', '/');
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
