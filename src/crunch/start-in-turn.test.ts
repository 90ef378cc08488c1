import { expect, it } from 'vitest';
import { createFakeExecutor } from '../../test/fakes/executor.ts';
import { startInTurn, startsAtOnce } from './start-in-turn.ts';

it('few containers of an executor are started at once, and none after an abort', async () => {
  const executor = createFakeExecutor();
  const controller = new AbortController();
  const ends: (() => void)[] = [];
  const start = () => new Promise<void>((resolve) => ends.push(resolve));
  const made = Array.from({ length: startsAtOnce + 3 }, () => startInTurn(executor, controller.signal, start));
  expect(ends).toHaveLength(startsAtOnce);
  ends[0]?.();
  await made[0];
  await expect.poll(() => ends.length).toBe(startsAtOnce + 1);
  controller.abort(new Error('nobody wants it'));
  for (const end of ends) end();
  const settled = await Promise.allSettled(made);
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(startsAtOnce + 1);
  expect(settled.slice(-2)).toEqual(Array(2).fill({ status: 'rejected', reason: controller.signal.reason }));
  expect(ends).toHaveLength(startsAtOnce + 1);
});
