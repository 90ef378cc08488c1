import { expect, it } from 'vitest';
import { formatOutputs } from './output-json.ts';

it('prints the output object as JSON of the usual form', () => {
  const outputs = { a: [1, 'two', null, true, { b: [] }, {}], 'c "d"': 0.5 };
  expect(formatOutputs(outputs)).toBe(JSON.stringify(outputs, null, 4));
});

it('prints numbers without exponent', () => {
  expect(formatOutputs([1e42, -1.5e22, 1e-7])).toBe(
    `[\n    1${'0'.repeat(42)},\n    -15${'0'.repeat(21)},\n    0.0000001\n]`,
  );
});
