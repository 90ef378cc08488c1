import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProblems, killOnce, measureRun, prepare, samples } from './kill.ts';
import { createRunner, startToolsRegistry } from './runner.ts';

describe('a runner that is killed', { timeout: 600_000 }, () => {
  let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
  beforeAll(async () => {
    registry = await startToolsRegistry();
  });
  afterAll(() => registry.close());

  it('leaves what the next run finishes, at ten points of its work', async () => {
    const wholeMs = await measureRun(registry.tools);
    for (let point = 0; point < 10; point += 1) {
      const round = await killOnce(registry.tools, ((point + Math.random()) / 10) * wholeMs);
      expect(round).toMatchObject({ problems: [] });
    }
  });

  it('shares its work with another on the same home', async () => {
    const runner = createRunner('two');
    try {
      const args = prepare(runner, registry.tools);
      const both = await Promise.all([
        runner.run([...args.slice(2), '--outdir', 'out1']),
        runner.run([...args.slice(2), '--outdir', 'out2']),
      ]);
      for (const { exitCode, stderr } of both) expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      for (const out of ['out1', 'out2']) {
        const text = readFileSync(join(runner.folder, out, 'all.txt'), 'utf8');
        expect(text).toBe(samples.map((name) => `one\n${name}\n`).join(''));
      }
      expect(await findProblems(runner)).toEqual([]);
    } finally {
      await runner.remove();
    }
  });
});
