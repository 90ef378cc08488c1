import { bigintText } from '../../core/numbers.ts';
import type { CommandLineBinding } from '../../cwl/model.ts';
import type { CwlValue } from '../../cwl/values.ts';
import { jobError } from '../errors.ts';
import type { Expressions } from '../evaluate.ts';
import { isFileObject } from '../file-objects.ts';

/** The words that one binding adds (CWL v1.2, CommandLineBinding, the table of value types). */
export async function toArguments(
  binding: CommandLineBinding,
  datum: CwlValue,
  expressions: Expressions,
): Promise<string[]> {
  const { prefix, separate = true, itemSeparator, valueFrom } = binding;
  if (prefix === undefined && !separate) {
    throw jobError('job/bad-binding', '"separate: false" without a prefix', { hint: 'give the binding a "prefix"' });
  }
  const value =
    valueFrom === undefined ? datum : ((await expressions.evaluate(valueFrom, 'valueFrom', datum)) as CwlValue);
  const prefixWords = prefix === undefined ? [] : [prefix];
  if (value === null || value === false) return [];
  if (value === true) return prefixWords;
  if (Array.isArray(value)) {
    if (value.length === 0) return [];
    if (itemSeparator !== undefined) return withPrefix(value.map(toWord).join(itemSeparator), prefix, separate);
    return valueFrom === undefined ? prefixWords : [...prefixWords, ...value.map(toWord)];
  }
  if (typeof value === 'object' && !isFileObject(value)) return prefixWords;
  return withPrefix(toWord(value), prefix, separate);
}

function withPrefix(word: string, prefix: string | undefined, separate: boolean): string[] {
  if (prefix === undefined) return [word];
  return separate ? [prefix, word] : [prefix + word];
}

/** Text of a value on a command line: the path of a File, numbers without exponent. */
function toWord(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'bigint') return bigintText(value);
  if (typeof value === 'string') return value;
  if (!isFileObject(value)) return typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (value.path !== undefined) return value.path;
  throw jobError(
    'job/bad-binding',
    `a ${value.class} on the command line has no path: ${JSON.stringify(value.basename)}`,
    {
      hint: 'make it an input of the tool, or stage it with InitialWorkDirRequirement',
    },
  );
}

/** Decimal, never in scientific notation: `0.00001`. */
export function formatNumber(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = '', first = '', rest = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  const digits = first + rest;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return sign + digits.padEnd(exponent + 1, '0');
}
