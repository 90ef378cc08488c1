import { field, type MapNode, stringOf } from '../syntax/node.ts';
import { shortName } from '../syntax/uri.ts';
import type { BuildContext } from './context.ts';

const stable = new Set(['v1.0', 'v1.1', 'v1.2']);
const drafts: Readonly<Record<string, string>> = {
  'v1.1.0-dev1': 'v1.1',
  'v1.2.0-dev1': 'v1.2',
  'v1.2.0-dev2': 'v1.2',
  'v1.2.0-dev3': 'v1.2',
  'v1.2.0-dev4': 'v1.2',
  'v1.2.0-dev5': 'v1.2',
  'v1.3.0-dev1': 'v1.3',
};

/** The version whose rules `node` follows: its own, that of its document, or that of the process around it. */
export function readVersion(node: MapNode, outer: BuildContext): string {
  const own = field(node, 'cwlVersion');
  const written = stringOf(own) ?? node.source.version;
  if (written === undefined) {
    if (outer.version !== '') return outer.version;
    outer.problems.error('missing-field', node, 'the document needs the field "cwlVersion"', 'add "cwlVersion: v1.2"');
    return 'v1.2';
  }
  const version = shortName(written.replace(/^cwl:/, ''));
  if (stable.has(version)) return version;
  const draft = drafts[version];
  if (draft !== undefined && outer.load.enableDev) return draft;
  // Once for each document: what it holds follows its version.
  const isTold = outer.load.refused.has(node.source);
  outer.load.refused.add(node.source);
  const hint =
    draft === undefined ? 'expected one of v1.0, v1.1, v1.2' : 'it is a development version: use --enable-dev';
  if (!isTold) outer.problems.error('version', own ?? node, `unsupported cwlVersion ${JSON.stringify(written)}`, hint);
  return draft ?? 'v1.2';
}
