import { expect, it } from 'vitest';
import { formatTable } from './table.ts';

it('makes columns as wide as their widest cell, without space at the end', () => {
  const rows = [
    ['align', 'reused', 'same'],
    ['a-long-name', 'run', ''],
  ];
  expect(formatTable(['step', '', 'because'], rows)).toBe(
    ['step                 because', 'align        reused  same', 'a-long-name  run'].join('\n'),
  );
});

it('is its head alone without rows', () => {
  expect(formatTable(['a', 'b'], [])).toBe('a  b');
});
