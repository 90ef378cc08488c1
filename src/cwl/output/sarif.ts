import { pathToFileURL } from 'node:url';
import type { JsonObject } from '../../core/json.ts';
import type { Problem } from '../problem.ts';

/** Problems as SARIF 2.1.0, which editors and code hosts show beside the lines. */
export function toSarif(problems: readonly Problem[], version: string): JsonObject {
  const rules = [...new Set(problems.map(({ rule }) => rule))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'hallmark', version, rules: rules.map((id) => ({ id })) } },
        columnKind: 'utf16CodeUnits',
        results: problems.map(toResult),
      },
    ],
  };
}

function toResult({ rule, severity, message, hint, position, length }: Problem): JsonObject {
  const { file, line, column } = position;
  const uri = file.startsWith('/') ? pathToFileURL(file).href : file;
  const region = { startLine: line, startColumn: column, endColumn: column + length };
  return {
    ruleId: rule,
    level: severity,
    message: { text: hint === undefined ? message : `${message} (${hint})` },
    locations: [{ physicalLocation: { artifactLocation: { uri }, region } }],
  };
}
