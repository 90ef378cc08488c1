import { expect, test } from 'vitest';
import { createLineStamper } from './timestamps.ts';

function stamp(...chunks: (string | Uint8Array)[]): string {
  let second = 0n;
  const clock = {
    nowNs: () => {
      second += 1n;
      return second * 1_000_000_000n + 5n;
    },
  };
  const stamper = createLineStamper(clock);
  const parts = chunks.flatMap((chunk) => stamper.stamp(Buffer.from(chunk)));
  return Buffer.concat([...parts, ...stamper.end()]).toString('latin1');
}
const at = (second: number): string => `1970-01-01T00:00:0${second}.000000005Z`;

const cases: [string, (string | Uint8Array)[], string][] = [
  ['nothing', [''], ''],
  ['a line', ['a\n'], `${at(1)} a\n`],
  ['an unfinished line is finished', ['a'], `${at(1)} a\n`],
  ['lines of one chunk have one time', ['a\nb\n'], `${at(1)} a\n${at(1)} b\n`],
  ['a line in pieces has the time of its first', ['a', 'b', 'c\nd'], `${at(1)} abc\n${at(3)} d\n`],
  ['empty lines', ['\n\n'], `${at(1)} \n${at(1)} \n`],
  ['bytes stay as they are', [new Uint8Array([0xff, 0x00, 0x0d, 0x0a])], `${at(1)} \u00ff\u0000\r\n`],
];
test.each(cases)('%s', (_name, chunks, expected) => {
  expect(stamp(...chunks)).toBe(expected);
});
