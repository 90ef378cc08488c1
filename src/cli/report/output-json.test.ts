import { expect, it } from 'vitest';
import type { JsonValue } from '../../core/json.ts';
import { formatOutputs } from './output-json.ts';

const format = (value: JsonValue) => [...formatOutputs(value)].join('');

it.each([{ a: [1, 'two', null, true, { b: [] }, {}], 'c "d"': 0.5 }, {}, [[], [[]]], 'text', null])(
  'prints %j as JSON of the usual form',
  (outputs) => {
    expect(format(outputs)).toBe(`${JSON.stringify(outputs, null, 4)}\n`);
  },
);

it('prints numbers without exponent', () => {
  expect(format([1e42, -1.5e22, 1e-7])).toBe(
    `[\n    1${'0'.repeat(42)},\n    -15${'0'.repeat(21)},\n    0.0000001\n]\n`,
  );
});

it('prints a long object in pieces', () => {
  const outputs = Array.from({ length: 100_000 }, (_, index) => index);
  const pieces = [...formatOutputs(outputs)];
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(100_000);
  expect(JSON.parse(pieces.join(''))).toEqual(outputs);
});
