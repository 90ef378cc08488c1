import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, truncateSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listRuns } from '../../src/run/run-record.ts';
import { lastingProcessesWith, unfinishedIn } from './leftovers.ts';
import { createRunner, type Runner, type Started, type StartOptions, startToolsRegistry } from './runner.ts';

let runner: Runner;
let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
beforeEach(async () => {
  runner = createRunner('interrupt');
  registry = await startToolsRegistry();
});
afterEach(async () => {
  await registry.close();
  await runner.remove();
});

const tool = (command: string, hints = '{}') => `
cwlVersion: v1.2
class: CommandLineTool
hints: ${hints}
baseCommand: [sh, -c, ${JSON.stringify(command)}]
inputs: []
outputs: []
`;

/** Starts a run and waits until `count` containers run. */
async function startUntilRunning(document: string, count = 1, options: StartOptions = {}): Promise<Started> {
  runner.write('tool.cwl', document);
  const started = runner.start(['tool.cwl'], options);
  for (;;) {
    const running = await runner.withRecords((cluster) =>
      cluster.list('containers', { filters: [['state', '=', 'Running']] }),
    );
    if (running.itemsAvailable >= count) return started;
    if (started.child.exitCode !== null) throw new Error(`it ended early: ${(await started.ended).stderr}`);
    await sleep(50);
  }
}

/** One line and a hint, exit code as for the signal, everything cancelled, nothing left. */
async function expectCancelled({ ended }: Started, exitCode = 130, signal = 'SIGINT'): Promise<void> {
  const { stderr, ...rest } = await ended;
  expect(rest).toEqual({ exitCode, stdout: '' });
  const lines = stderr
    .split('\n')
    .filter((line) => /^\S/.test(line) && !/^(start|pull|build|run|done|fail|image|step)/.test(line));
  expect(lines).toEqual([`interrupted by ${signal}: the run was cancelled`]);
  expect(stderr).toContain('hint: the same command again');
  expect(await lastingProcessesWith(runner.folder)).toEqual([]);
  expect(unfinishedIn(runner.home)).toEqual([]);
  await runner.withRecords(async (cluster) => {
    expect(await listRuns(cluster, 1)).toMatchObject([{ status: 'failure' }]);
    const requests = await cluster.list('container_requests', { filters: [['state', '!=', 'Uncommitted']] });
    for (const request of requests.items) expect(request).toMatchObject({ state: 'Final', priority: 0 });
    const containers = await cluster.list('containers', {});
    for (const container of containers.items) expect(container).toMatchObject({ state: 'Cancelled', exit_code: null });
  });
}

/** Before the run has a record: nothing is under way but the inputs. */
async function expectStopped({ ended }: Started): Promise<void> {
  const { stderr, exitCode } = await ended;
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 130,
    stderr: expect.stringMatching(/^interrupted by SIGINT/m),
  });
  const left = readdirSync(join(runner.home, 'keep/tmp'), { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => entry.isFile())).toEqual([]);
}

const reader = tool('true').replace('inputs: []', 'inputs: { file: File }');

describe('Ctrl-C', () => {
  it('ends the reading of a large input', { timeout: 30_000 }, async () => {
    runner.write('tool.cwl', reader);
    const path = runner.write('large', '');
    truncateSync(path, 2 ** 40);
    const started = runner.start(['tool.cwl', '--file', 'large']);
    await expect.poll(() => existsSync(join(runner.home, 'keep/tmp')), { timeout: 20_000 }).toBe(true);
    await sleep(1000);
    started.child.kill('SIGINT');
    await expectStopped(started);
  });

  it('ends a download', { timeout: 30_000 }, async () => {
    runner.write('tool.cwl', reader);
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000000' }).write('the first of it');
      setInterval(() => response.write('.'), 200).unref();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const started = runner.start(['tool.cwl', '--allow-private-network', '--file', `http://127.0.0.1:${port}/f`]);
    await once(server, 'request');
    await sleep(500);
    started.child.kill('SIGINT');
    await expectStopped(started);
    server.close();
    server.closeAllConnections();
  });

  it('ends a step', async () => {
    const started = await startUntilRunning(tool('sleep 611'));
    started.child.kill('SIGINT');
    await expectCancelled(started);
  });

  it('ends a pull', async () => {
    registry.faults.stall = { times: 100 };
    const started = await startUntilRunning(tool('true', `{ DockerRequirement: { dockerPull: "${registry.tools}" } }`));
    started.child.kill('SIGINT');
    await expectCancelled(started);
  });

  it('ends a build', async () => {
    const text = JSON.stringify(`FROM ${registry.tools}\nRUN sleep 612\n`);
    runner.write('tool.cwl', tool('true', `{ DockerRequirement: { dockerFile: ${text} } }`));
    const started = runner.start(['tool.cwl']);
    while ((await lookForBuild()) === 0) await sleep(50);
    started.child.kill('SIGINT');
    const { exitCode, stderr } = await started.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: expect.any(String) });
    expect(stderr).toContain('interrupted by SIGINT: the run was cancelled');
    expect(await lastingProcessesWith(runner.folder)).toEqual([]);
    expect(unfinishedIn(runner.home)).toEqual([]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('is not the only signal: %s', async (signal, exitCode) => {
    const started = await startUntilRunning(tool('sleep 613'));
    started.child.kill(signal);
    await sleep(1);
    if (signal === 'SIGHUP') started.child.kill(signal); // As the shell and the kernel do, both.
    await expectCancelled(started, exitCode, signal);
  });

  it('is not a closed terminal where nohup was asked for', async () => {
    const started = await startUntilRunning(tool('sleep 615'), 1, { env: { HALLMARK_NOHUP: '1' } });
    started.child.kill('SIGHUP');
    await sleep(100);
    started.child.kill('SIGINT');
    await expectCancelled(started);
  });

  it.each([
    ['nohup', '1'],
    ['env', ''],
  ])('is told to Node.js as it was: %s', async (program, expected) => {
    mkdirSync(join(runner.folder, 'bin'));
    mkdirSync(join(runner.folder, 'dist'));
    runner.write('dist/main.js', '');
    copyFileSync(join(import.meta.dirname, '../../bin/cwl-runner'), join(runner.folder, 'bin/cwl-runner'));
    const node = runner.write('node', '#!/bin/sh\necho "[${HALLMARK_NOHUP-}]"\n');
    chmodSync(node, 0o755);
    const { stdout } = spawnSync(program, [join(runner.folder, 'bin/cwl-runner')], {
      env: { PATH: process.env.PATH, HALLMARK_NODE: node },
      encoding: 'utf8',
    });
    expect(stdout).toBe(`[${expected}]\n`);
  });

  it('given twice ends the runner at once', async () => {
    const started = await startUntilRunning(tool('sleep 614'));
    started.child.kill('SIGSTOP');
    started.child.kill('SIGINT');
    started.child.kill('SIGCONT');
    await sleep(1);
    started.child.kill('SIGINT');
    const [code, signal] =
      started.child.exitCode === null ? await once(started.child, 'exit') : [started.child.exitCode];
    expect([130, null]).toContain(code);
    if (code === null) expect(signal).toBe('SIGINT');
    expect(await lastingProcessesWith(runner.folder)).toEqual([]);
  });
});

const lookForBuild = (): Promise<number> =>
  runner.withRecords(async (cluster) => {
    const running = await cluster.list('containers', { filters: [['state', '=', 'Running']] });
    return running.items.filter(
      ({ command, runtime_status: { activity } }) => command[1] === 'build' && activity?.includes('sleep'),
    ).length;
  });
