import { expect, it } from 'vitest';
import type { RunEvent } from '../../run/events.ts';
import { createPlainProgress } from './plain.ts';

it('writes a line for each change that matters, and none twice', async () => {
  const lines: string[] = [];
  let nowMs = 0;
  const progress = createPlainProgress(
    (line) => lines.push(line),
    () => nowMs,
  );
  const events: RunEvent[] = [
    { type: 'image', reference: 'tool', status: 'looking' },
    { type: 'image', reference: 'tool', status: 'found', detail: 'sha256:abc' },
    { type: 'image', reference: 'tool', status: 'found', detail: 'sha256:abc' },
    { type: 'step', name: 'tool', status: 'started' },
    { type: 'step', name: 'tool', status: 'submitted' },
    { type: 'warning', message: 'a copy was modified' },
    { type: 'step', name: 'tool', status: 'reused' },
  ];
  for (const event of events) {
    progress.event(event);
    nowMs += 100;
  }
  await progress.end();
  expect(lines.filter((line) => line.includes('image tool'))).toHaveLength(1);
  expect(lines).toContain('warning: a copy was modified');
  expect(lines.at(-1)).toMatch(/^done {3}step tool: reused \(0\.\d s\)$/);
  expect(lines.join('\n')).not.toContain('looking');
});
