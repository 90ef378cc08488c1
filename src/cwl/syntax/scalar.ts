import { readInteger } from '../../core/numbers.ts';

/**
 * Value of a plain scalar in the core schema of YAML 1.2: `yes`, dates and `1_000` are strings, `010` is ten, `0o10` is eight.
 */
export function resolvePlain(text: string): string | number | bigint | boolean | null {
  switch (text) {
    case '':
    case '~':
    case 'null':
    case 'Null':
    case 'NULL':
      return null;
    case 'true':
    case 'True':
    case 'TRUE':
      return true;
    case 'false':
    case 'False':
    case 'FALSE':
      return false;
  }
  const first = text.charCodeAt(0);
  const mayBeNumber = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
  return mayBeNumber ? resolveNumber(text) : text;
}

const decimal = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

function resolveNumber(text: string): string | number | bigint {
  if (isIntegerText(text)) return readInteger(text);
  if (decimal.test(text)) return Number(text);
  if (/^[-+]?(\.inf|\.Inf|\.INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return /^(\.nan|\.NaN|\.NAN)$/.test(text) ? NaN : text;
}

/** Whether the text of a number is that of an integer. */
export const isIntegerText = (text: string): boolean => /^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/.test(text);
