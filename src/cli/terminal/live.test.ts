import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../run/events.ts';
import { createLiveProgress } from './live.ts';

// The signs of the rows depend on it.
beforeAll(() => void vi.stubEnv('TERM', 'xterm-256color'));
afterAll(() => void vi.unstubAllEnvs());

/** A terminal that remembers all that was written to it. */
function createTerminal() {
  let written = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written += chunk;
      done();
    },
  });
  const terminal = Object.assign(stream, { isTTY: true, columns: 100, rows: 40 }) as unknown as NodeJS.WriteStream;
  const rows = () =>
    stripVTControlCharacters(written)
      .split('\n')
      .map((row) => row.trim());
  return { terminal, rows, text: () => written };
}

async function show(events: readonly RunEvent[]) {
  let nowMs = 0;
  const { terminal, rows, text } = createTerminal();
  const progress = await createLiveProgress(terminal, () => nowMs);
  for (const event of events) {
    progress.event(event);
    nowMs += 1000;
  }
  await progress.end();
  await progress.end();
  return { rows: rows(), text: text() };
}

it('leaves a row for each image and step, with what became of it and how long it took', async () => {
  const { rows } = await show([
    { type: 'image', reference: 'debian:12', status: 'pulling' },
    { type: 'image', reference: 'debian:12', status: 'ready' },
    { type: 'scatter', name: 'align', size: 2 },
    { type: 'step', name: 'align[0]', status: 'started' },
    { type: 'step', name: 'align[1]', status: 'started' },
    { type: 'step', name: 'align[1]', status: 'done' },
    { type: 'step', name: 'align[0]', status: 'reused' },
    { type: 'step', name: 'sort', status: 'started' },
    { type: 'step', name: 'sort', status: 'failed', because: 'exit code 1' },
  ]);
  expect(rows).toContain('✔ image debian:12  ready  1.0 s');
  expect(rows).toContain('✔ align  2/2, 1 reused  3.0 s');
  expect(rows.find((row) => row.includes('sort'))).toMatch(/^✖ sort {2}failed {2}1\.0 s$/);
});

it('shows what was cut short as such', async () => {
  const { rows } = await show([{ type: 'step', name: 'long', status: 'started' }]);
  expect(rows.findLast((row) => row.includes('long'))).toMatch(/^↓ long {2}1\.0 s/);
});

it('writes warnings out whole', async () => {
  const { text } = await show([{ type: 'warning', message: 'a copy was modified' }]);
  expect(text).toContain('warning: a copy was modified\n');
});

it('writes nothing where nothing happened', async () => {
  expect((await show([])).text).toBe('');
});
