import { placeOf } from '../../cwl/input/place.ts';
import type { Position, Process, SecondaryFile } from '../../cwl/model.ts';
import { Problems } from '../../cwl/problems.ts';
import { field, type Node } from '../../cwl/syntax/node.ts';
import type { CwlFile, CwlObject } from '../../cwl/values.ts';
import { bindExpressions, type ExpressionEngine, type Expressions } from '../evaluate.ts';
import { type FileObject, mapFileObjects, nameOf, withNames } from '../file-objects.ts';
import type { Requirements } from '../model.ts';
import { refuseNewHostFiles } from './given-files.ts';
import { evaluatePattern, fileParameters, isRequired, type PlacedFile } from './secondary-files.ts';

export interface DiscoverOptions {
  readonly javascript: ExpressionEngine;
  readonly requirements: Requirements;
  /** What lies at a location of the same kind as the primary file's: `file:`, `keep:`, …; undefined: nothing. */
  readonly probe: (location: string) => Promise<'File' | 'Directory' | undefined>;
  /** The text of the inputs: what is missing is told at its place there. */
  readonly root: Node;
}

/**
 * Adds to the Files of an input object what their parameters ask to lie beside them, where it does (CWL v1.2,
 * SecondaryFileSchema). Only for the inputs of a whole run: between steps a File brings its secondaryFiles along. Fails with
 * `cwl/bad-input` and all that is missing.
 */
export async function discoverSecondaryFiles(
  process: Process,
  given: CwlObject,
  options: DiscoverOptions,
): Promise<CwlObject> {
  const inputs = withNames(given) as CwlObject;
  const { cwlVersion, position } = process;
  const expressions = bindExpressions({ ...options, inputs, cwlVersion, where: position });
  const problems = new Problems();
  const search = { ...options, expressions, inputs, problems };
  const completed = new Map<FileObject, FileObject>();
  for (const input of process.inputs) {
    const place = placeOf(input.id, field(options.root, input.id));
    for (const { files, secondaryFiles } of fileParameters(input, inputs[input.id], place)) {
      if (secondaryFiles.length === 0) continue;
      const asking = { secondaryFiles, position: input.position };
      for (const placed of files) completed.set(placed.file, await completeFile(placed, asking, search));
    }
  }
  problems.throwIfAny('cwl/bad-input');
  return completed.size === 0 ? inputs : mapFileObjects(inputs, (object) => completed.get(object) ?? object);
}

interface Asking {
  readonly secondaryFiles: readonly SecondaryFile[];
  readonly position: Position;
}

interface Search extends Pick<DiscoverOptions, 'probe' | 'root'> {
  readonly expressions: Expressions;
  readonly inputs: CwlObject;
  readonly problems: Problems;
}

async function completeFile(placed: PlacedFile, asking: Asking, search: Search): Promise<CwlFile> {
  const { file, place } = placed;
  const { expressions, inputs, probe } = search;
  const beside = new Map((file.secondaryFiles ?? []).map((object) => [nameOf(object), object]));
  for (const entry of asking.secondaryFiles) {
    for (const wanted of await evaluatePattern(file, entry, expressions)) {
      const name = typeof wanted === 'string' ? wanted : nameOf(wanted);
      if (beside.has(name) || name === undefined) continue;
      const location = locationOf(file, name);
      const named = typeof wanted === 'string' ? { class: 'File', location } : wanted;
      refuseNewHostFiles(named, inputs, `secondaryFiles of ${place.name}`, asking.position);
      const isPlaced = typeof wanted !== 'string' && wanted.location !== undefined;
      const found = isPlaced ? wanted : await find(location, name, probe);
      if (found) beside.set(name, found);
      else if (await isRequired(file, entry, expressions, true))
        reportMissing(name, placed, { ...asking, pattern: entry.pattern }, search);
    }
  }
  return beside.size === 0 ? file : withNames({ ...file, secondaryFiles: [...beside.values()] });
}

function reportMissing(
  name: string,
  { file, place }: PlacedFile,
  { pattern, position }: { readonly pattern: string; readonly position: Position },
  { problems, root }: Search,
): void {
  const primary = JSON.stringify(nameOf(file));
  const asked = `secondaryFiles at ${position.file}:${position.line} asks for it with ${JSON.stringify(pattern)}`;
  problems.error(
    'secondary-files',
    place.node ?? root,
    `input ${place.name}: there is no ${JSON.stringify(name)} beside ${primary}`,
    `${asked}: put it there, or list it in secondaryFiles of the input`,
  );
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
