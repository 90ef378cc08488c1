import { type Clock, toRfc3339Nano } from '../../core/clock.ts';

const newline = 0x0a;

/**
 * Puts the time before each line of a stream of bytes: RFC 3339 UTC, nanoseconds, one space. A line may come in many chunks
 * and be of any length and content: nothing is held back.
 */
export function createLineStamper(clock: Clock): { stamp(chunk: Uint8Array): Uint8Array[]; end(): Uint8Array[] } {
  let insideLine = false;
  return {
    stamp(chunk) {
      if (chunk.length === 0) return [];
      const time = Buffer.from(`${toRfc3339Nano(clock.nowNs())} `);
      const parts: Uint8Array[] = [];
      let start = 0;
      while (start < chunk.length) {
        const end = chunk.indexOf(newline, start) + 1 || chunk.length;
        if (!insideLine) parts.push(time);
        parts.push(chunk.subarray(start, end));
        insideLine = chunk[end - 1] !== newline;
        start = end;
      }
      return parts;
    },
    end() {
      if (!insideLine) return [];
      insideLine = false;
      return [Buffer.from('\n')];
    },
  };
}
