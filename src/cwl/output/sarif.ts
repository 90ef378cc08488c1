import { pathToFileURL } from 'node:url';
import type { JsonObject } from '../../core/json.ts';
import type { Problem } from '../problem.ts';

export interface SarifOptions {
  /** Of this program. */
  readonly version: string;
  /** URI, with a slash at the end, that those below it are told relative to, as code hosts want it. */
  readonly folder: string;
}

const root = '%SRCROOT%';

/** Problems as SARIF 2.1.0, which editors and code hosts show beside the lines. */
export function toSarif(problems: readonly Problem[], { version, folder }: SarifOptions): JsonObject {
  const rules = [...new Set(problems.map(({ rule }) => rule))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'hallmark', version, rules: rules.map((id) => ({ id })) } },
        originalUriBaseIds: { [root]: { uri: folder } },
        columnKind: 'utf16CodeUnits',
        results: problems.map((problem) => toResult(problem, folder)),
      },
    ],
  };
}

function toResult({ rule, severity, message, hint, position, length }: Problem, folder: string): JsonObject {
  const { file, line, column } = position;
  const uri = file.startsWith('/') ? pathToFileURL(file).href : file;
  const region = { startLine: line, startColumn: column, endColumn: column + length };
  const artifactLocation = uri.startsWith(folder) ? { uri: uri.slice(folder.length), uriBaseId: root } : { uri };
  return {
    ruleId: rule,
    level: severity,
    message: { text: hint === undefined ? message : `${message} (${hint})` },
    locations: [{ physicalLocation: { artifactLocation, region } }],
  };
}
