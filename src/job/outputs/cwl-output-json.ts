import { isJsonObject } from '../../core/json.ts';
import { parseJson } from '../../core/numbers.ts';
import { mib } from '../../core/units.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { jobError } from '../errors.ts';
import { mapFileObjects, withNames } from '../file-objects.ts';
import type { OutputScope } from './scope.ts';

/** More than any output object needs; a tool that writes more has made a mistake. */
const limitBytes = 64 * mib;

/**
 * The output object that the tool wrote itself (CWL v1.2, section 4.3, `cwl.output.json`); undefined when it wrote none. Paths in
 * it are those that the tool saw.
 */
export async function readOutputJson(scope: OutputScope): Promise<CwlObject | undefined> {
  const file = scope.collection.files.get('cwl.output.json');
  if (!file) return undefined;
  if (file.sizeBytes > limitBytes) throw badJson(`expected at most ${limitBytes} bytes, got ${file.sizeBytes}`);
  const outputs = parseObject(new TextDecoder().decode(await scope.keep.readStart(file, limitBytes)));
  return withNames(mapFileObjects(outputs, scope.locate));
}

function parseObject(text: string): CwlObject {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw badJson('it is not JSON', error);
  }
  if (isJsonObject(value)) return value as CwlObject;
  throw badJson('expected an object');
}

const badJson = (problem: string, cause?: unknown) =>
  jobError('job/bad-output-json', `cwl.output.json: ${problem}`, {
    hint: 'let the tool write one JSON object with a value for each output',
    ...(cause === undefined ? {} : { cause }),
  });
