/** Time as passed in from outside, so that tests decide it. */
export interface Clock {
  /** Nanoseconds since the Unix epoch; never goes back within one process, even when the system clock does. */
  nowNs(): bigint;
}

/** The system's clock: wall time at start, advanced by the monotonic clock. */
export function systemClock(): Clock {
  const wallNs = BigInt(Date.now()) * 1_000_000n;
  const startNs = process.hrtime.bigint();
  return { nowNs: () => wallNs + (process.hrtime.bigint() - startNs) };
}

/** The second that was asked for last, and its text: times come in the order in which things happen. */
const last: { second: bigint | undefined; text: string } = { second: undefined, text: '' };

/** RFC 3339 UTC with nine decimals: `2026-11-22T05:20:38.000000001Z`. */
export function toRfc3339Nano(ns: bigint): string {
  const second = ns / 1_000_000_000n;
  if (second !== last.second) {
    last.text = new Date(Number(second) * 1000).toISOString().slice(0, 19);
    last.second = second;
  }
  return `${last.text}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`;
}
