/** Records hold what users typed: no control code or change of direction reaches the terminal. */
export function oneLine(text: string): string {
  return text.replace(/(?!\t)[\p{Cc}\p{Cf}]/gu, (c) => `\\x${c.codePointAt(0)?.toString(16)}`);
}

/** `2026-11-22 05:20:38Z` */
export const toTime = (rfc3339: string) => rfc3339.replace(/T(\d\d:\d\d:\d\d)(\.\d+)?/, ' $1');
