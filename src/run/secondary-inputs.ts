import type { Process } from '../cwl/model.ts';
import type { CwlDirectory, CwlFile, CwlObject, CwlValue } from '../cwl/values.ts';
import { isFile } from '../cwl/values.ts';
import { bindExpressions, type ExpressionEngine, type Expressions } from '../job/evaluate.ts';
import { isFileObject, nameOf } from '../job/file-objects.ts';
import type { Requirements } from '../job/requirements.ts';
import { directFiles, evaluatePattern, type FileParameter, fileParameters } from '../job/secondary-files.ts';

/** What lies at a host location: a file, a directory, or nothing. */
export type HostProbe = (location: string) => Promise<'file' | 'directory' | undefined>;

export interface DiscoveryOptions {
  readonly javascript: ExpressionEngine;
  readonly requirements: Requirements;
  readonly probe: HostProbe;
}

/**
 * Adds to input Files what their parameters name as secondaryFiles and what lies beside them on the host (CWL v1.2,
 * `secondaryFiles` of input parameters). What is missing is left to the check of the process that needs it.
 */
export async function discoverSecondaryFiles(
  process: Process,
  inputs: CwlObject,
  options: DiscoveryOptions,
): Promise<CwlObject> {
  const expressions = bindExpressions({ ...options, inputs, cwlVersion: process.cwlVersion, where: process.position });
  const found = new Map<CwlFile, readonly (CwlFile | CwlDirectory)[]>();
  for (const input of process.inputs) {
    for (const parameter of fileParameters(input, inputs[input.id], input.id)) {
      for (const file of directFiles(parameter.value)) {
        const beside = await findBeside(file, parameter, expressions, options.probe);
        if (beside.length > 0) found.set(file, [...(found.get(file) ?? file.secondaryFiles ?? []), ...beside]);
      }
    }
  }
  return found.size === 0 ? inputs : (replaceFiles(inputs, found) as CwlObject);
}

async function findBeside(
  file: CwlFile,
  { secondaryFiles }: FileParameter,
  expressions: Expressions,
  probe: HostProbe,
): Promise<(CwlFile | CwlDirectory)[]> {
  if (!file.location?.startsWith('file:')) return [];
  const present = new Set((file.secondaryFiles ?? []).map(nameOf));
  const beside: (CwlFile | CwlDirectory)[] = [];
  for (const entry of secondaryFiles) {
    for (const wanted of await evaluatePattern(file, entry, expressions)) {
      if (isFileObject(wanted)) {
        if (!present.has(nameOf(wanted))) beside.push(wanted);
        continue;
      }
      if (present.has(wanted)) continue;
      const location = file.location.replace(/[^/]*$/, encodeURIComponent(wanted));
      const kind = await probe(location);
      if (kind) beside.push({ class: kind === 'file' ? 'File' : 'Directory', location, basename: wanted });
      present.add(wanted);
    }
  }
  return beside;
}

function replaceFiles(value: CwlValue, found: ReadonlyMap<CwlFile, readonly (CwlFile | CwlDirectory)[]>): CwlValue {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item: CwlValue) => replaceFiles(item, found));
  if (isFile(value)) {
    const secondaryFiles = found.get(value);
    return secondaryFiles ? { ...value, secondaryFiles } : value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, replaceFiles(field as CwlValue, found)]),
  ) as CwlValue;
}
