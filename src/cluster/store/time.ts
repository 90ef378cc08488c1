import { toRfc3339Nano } from '../../core/clock.ts';

const pattern = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/;

/** RFC 3339 of any precision or offset → UTC with nine decimals, whose order as text is the order in time. */
export function toStoredTime(text: string): string | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const ms = Date.parse(`${match[1]?.replace(' ', 'T')}${match[3] ?? 'Z'}`);
  if (Number.isNaN(ms)) return undefined;
  return toRfc3339Nano(BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0')));
}

/** `seconds` after the stored time. */
export function addSeconds(stored: string, seconds: number): string {
  const nanoseconds = stored.slice(20, 29);
  const ms = Date.parse(`${stored.slice(0, 19)}Z`) + seconds * 1000;
  return toRfc3339Nano(BigInt(Math.round(ms)) * 1_000_000n + BigInt(nanoseconds));
}
