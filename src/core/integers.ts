/**
 * CWL's `long` has 64 bits, a number 53 (CWL v1.2, "Data concepts"). An integer beyond that is a bigint in values,
 * and digits in JSON, as the document wrote it; JavaScript of documents sees it as the nearest number.
 */
interface RawJson {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}
const { rawJSON, isRawJSON } = JSON as unknown as RawJson;

Object.defineProperty(BigInt.prototype, 'toJSON', {
  value(this: bigint) {
    return rawJSON(String(this));
  },
  configurable: true,
  writable: true,
});

/** What `toJSON` of a bigint gives: a replacer must leave it alone. */
export const isRawInteger = isRawJSON;

/** Longer than any integer that has a meaning here: only a floating-point number is written so. */
const maxDigits = 40;

/** The integer that `text` says, in digits, `0x` or `0o`: a bigint beyond 53 bits, where a number shows other digits. */
export function readInteger(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) || text.length > maxDigits ? number : BigInt(text.replace(/^\+/, ''));
}

/** As JSON.parse, with every integer as it is written. */
export function parseJson(text: string): unknown {
  return /\d{16}/.test(text) ? JSON.parse(text, reviveInteger as Parameters<typeof JSON.parse>[1]) : JSON.parse(text);
}

function reviveInteger(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source) ? readInteger(source) : value;
}

export const minLong = -(2n ** 63n);
export const maxLong = 2n ** 63n - 1n;
