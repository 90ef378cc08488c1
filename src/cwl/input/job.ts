import type { JsonValue } from '../../core/json.ts';
import { toValue } from '../build/value.ts';
import { DocumentStore } from '../document.ts';
import { cwlError } from '../errors.ts';
import { type Override, readOverrides } from '../overrides.ts';
import type { Fetcher } from '../port.ts';
import { createSource, describe, field, type MapNode, type Node, positionOf, stringOf } from '../syntax/node.ts';
import { parseSource } from '../syntax/parse.ts';
import { expandPrefix, resolveUri, shortName } from '../syntax/uri.ts';
import type { CwlObject, CwlValue } from '../values.ts';

/** What a job file holds. */
export interface InputObject {
  readonly values: CwlObject;
  /** URI of the process that the field `cwl:tool` names. */
  readonly tool?: string;
  readonly overrides: readonly Override[];
  /** Requirements of `cwl:requirements`, which apply to the process as a whole. */
  readonly requirements?: Node;
  /** Where each value stands. */
  readonly root: MapNode;
}

/** Reads the input object at `uri` (YAML or JSON). Files and Directories in it get locations relative to it. */
export async function loadInputObject(uri: string, fetcher: Fetcher): Promise<InputObject> {
  return toInputObject((await new DocumentStore(fetcher).load(uri)).root);
}

/** Reads an input object from text, as of stdin; `baseUri` is what references in it are relative to. */
export function parseInputObject(text: string, baseUri: string): InputObject {
  return toInputObject(parseSource(createSource(baseUri, text)));
}

/** The input object with `values` in place of its own. They stand in no text of its: `source` is what they come from. */
export function withValues(job: InputObject, values: CwlObject, source: string): InputObject {
  const span = { source: createSource(source, ''), start: 0, end: 0 };
  const entries = new Map(job.root.entries);
  for (const key of Object.keys(values))
    entries.set(key, {
      key,
      source: span.source,
      keyStart: 0,
      keyEnd: 0,
      value: { ...span, kind: 'scalar', value: null },
    });
  return { ...job, values: { ...job.values, ...values }, root: { ...job.root, entries } };
}

const cwl = 'https://w3id.org/cwl/cwl#';
const special = new Set([
  `${cwl}tool`,
  'cwl:tool',
  `${cwl}requirements`,
  'cwl:requirements',
  '$namespaces',
  '$schemas',
  'cwltool:overrides',
  'http://commonwl.org/cwltool#overrides',
]);

function toInputObject(root: Node): InputObject {
  if (root.kind === 'scalar' && root.value === null) return toInputObject({ ...root, kind: 'map', entries: new Map() });
  if (root.kind !== 'map') {
    throw cwlError('cwl/bad-input', `the input object must be a mapping, got ${describe(root)}`, {
      where: positionOf(root),
    });
  }
  const values: Record<string, CwlValue> = {};
  for (const [key, { value }] of root.entries)
    if (!special.has(key)) values[inputName(key)] = toCwlValue(toValue(value));
  const tool = stringOf(field(root, 'cwl:tool') ?? field(root, `${cwl}tool`));
  const requirements = field(root, 'cwl:requirements') ?? field(root, `${cwl}requirements`);
  return {
    values,
    ...(tool !== undefined && { tool: resolveUri(root.source.uri, expandPrefix(tool, root.source.namespaces)) }),
    overrides: readOverrides(root),
    ...(requirements && { requirements }),
    root,
  };
}

const inputName = (key: string): string => (key.includes('#') ? shortName(key) : key);

/** JSON is a CWL value; the types differ in what they name. */
const toCwlValue = (value: JsonValue): CwlValue => value as CwlValue;
