import { toMessage } from '../../src/core/errors.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { cwlError } from '../../src/cwl/errors.ts';

/**
 * Parses a packed document of CWL v1.2 with the object model that is generated from the standard's own schema: a second reader
 * that shares no code with ours. What it refuses fails with `cwl/invalid-document`. Its library is loaded with the first call.
 */
export async function checkWithObjectModel(packed: JsonObject, uri: string): Promise<void> {
  const { loadDocumentByString } = await import('cwl-ts-auto');
  try {
    await loadDocumentByString(JSON.stringify(withPlainPatterns(packed)), uri);
  } catch (error) {
    const said = error instanceof Error && error.message !== '' ? toMessage(error) : String(error);
    const hint = 'please report it: the document passed every other check';
    throw cwlError('cwl/invalid-document', `the CWL object model refuses ${uri}: ${summarize(said)}`, {
      hint,
      cause: error,
    });
  }
}

/** The message names every class that was tried; the lines about the others say only that the class is another. */
function summarize(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /invalid|not valid|missing|expected/i.test(line));
  return lines.slice(0, 8).join('; ').slice(0, 1000);
}

/** cwl-ts-auto 0.1.3 empties `{pattern, required}` while it tries one class, so that the next finds nothing. Plain patterns stay. */
function withPlainPatterns(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withPlainPatterns);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, JsonValue] => [
    key,
    key === 'secondaryFiles' && Array.isArray(inner) ? inner.map(plainPattern) : withPlainPatterns(inner),
  ]);
  return Object.fromEntries(entries);
}

function plainPattern(file: JsonValue): JsonValue {
  return typeof file === 'object' && file !== null && 'pattern' in file
    ? (file.pattern ?? null)
    : withPlainPatterns(file);
}
