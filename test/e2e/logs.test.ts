import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Uuid } from '../../src/core/ids.ts';
import { liveLogDir } from '../../src/crunch/logs/container-logs.ts';
import { containerOf, fail, hostRequest, lock, start } from '../fakes/cluster-work.ts';
import { createRunner, type Runner } from './runner.ts';

let runner: Runner;
beforeAll(() => {
  runner = createRunner('logs');
});
afterAll(() => runner.remove());

function writeLog(container: Uuid, line: string): void {
  const folder = liveLogDir(join(runner.home, 'work'), container);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'stderr.txt'), `${line}\n`);
}

it('logs of a request that is tried again are those of the newest attempt that has any, and name the others', async () => {
  const { request, attempts } = await runner.withRecords(async (cluster) => {
    const { uuid } = await cluster.create('container_requests', hostRequest());
    const attempts: Uuid[] = [];
    for (const error of ['the engine died', 'the disk is full', undefined]) {
      const container = containerOf(await cluster.get('container_requests', uuid));
      attempts.push(container);
      if (error === undefined) continue;
      await lock(cluster, container);
      await start(cluster, container);
      await fail(cluster, container, { error });
    }
    return { request: uuid, attempts };
  });
  const [first, second, third] = attempts as [Uuid, Uuid, Uuid];
  writeLog(first, 'one');
  writeLog(second, 'two');
  const others = `other attempts: cwl-runner logs ${first}`;
  const waiting = `attempt 3 (container ${third}) has no log yet; this is the log of the one before it\n`;
  expect(await runner.run(['logs', request])).toEqual({
    exitCode: 0,
    stdout: 'two\n',
    stderr: `${waiting}${others}\n`,
  });
  expect(await runner.run(['logs', first])).toEqual({ exitCode: 0, stdout: 'one\n', stderr: '' });
  writeLog(third, 'three');
  expect(await runner.run(['logs', request])).toEqual({
    exitCode: 0,
    stdout: 'three\n',
    stderr: `${others}, cwl-runner logs ${second}\n`,
  });
});
