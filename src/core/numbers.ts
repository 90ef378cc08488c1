/**
 * CWL's `long` has 64 bits, a number 53 (CWL v1.2, "Data concepts"). An integer beyond that is a bigint in values,
 * and digits in JSON, as the document wrote it; JavaScript of documents sees it as the nearest number. Within 53 bits,
 * where an integer is a number, a bigint is a whole number that was written as a float: `1.0`, which a number shows as `1`.
 */
interface RawJson {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}
const { rawJSON, isRawJSON } = JSON as unknown as RawJson;

Object.defineProperty(BigInt.prototype, 'toJSON', {
  value(this: bigint) {
    return rawJSON(bigintText(this));
  },
  configurable: true,
  writable: true,
});

/** What `toJSON` of a bigint gives: a replacer must leave it alone. */
export const isRawNumber = isRawJSON;

/** Longer than any integer that has a meaning here: only a floating-point number is written so. */
const maxDigits = 40;

/** The integer that `text` says, in digits, `0x` or `0o`: a bigint beyond 53 bits, where a number shows other digits. */
export function readInteger(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) || text.length > maxDigits ? number : BigInt(text.replace(/^\+/, ''));
}

/** The number that `text` says: a bigint where it is whole and has a point, so that it is known from an integer. */
export function readFloat(text: string): number | bigint {
  const number = Number(text);
  const isWhole = Number.isSafeInteger(number) && /^[-+]?\d+\.0*$/.test(text);
  return isWhole && !Object.is(number, -0) ? BigInt(number) : number;
}

export const isWholeFloat = (value: unknown): value is bigint =>
  typeof value === 'bigint' && Number.isSafeInteger(Number(value));

/** As the document wrote it: `9007199254740993`, `1.0`. */
export const bigintText = (value: bigint): string => (isWholeFloat(value) ? `${value}.0` : String(value));

/** For arithmetic: a bigint as the nearest number, anything else as it is. */
export const toNumber = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);

/** As JSON.parse, with every number as it is written. */
export function parseJson(text: string): unknown {
  return mayLose.test(text) || /^[-\d]/.test(text)
    ? JSON.parse(text, reviveNumber as Parameters<typeof JSON.parse>[1])
    : JSON.parse(text);
}

/** Digits that a number may not hold, or a float that is whole: text in strings that looks so only costs time. */
const mayLose = /\d{16}|[:,[]\s*-?\d+\.0+[\s,\]}]/;

function reviveNumber(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined) return value;
  return /^-?\d+$/.test(source) ? readInteger(source) : readFloat(source);
}

export const minLong = -(2n ** 63n);
export const maxLong = 2n ** 63n - 1n;
