import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Container } from '../../src/api/records.ts';
import { createDockerDaemon, type DockerDaemon, noDaemon } from './docker-daemon.ts';
import { lastingProcessesWith, processesWith, unfinishedIn } from './leftovers.ts';
import { createRunner, type Runner, type Started, startToolsRegistry } from './runner.ts';

const title = noDaemon === undefined ? 'a docker daemon' : `a docker daemon (skipped: ${noDaemon})`;

describe.skipIf(noDaemon)(title, { timeout: 180_000 }, () => {
  let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
  let daemon: DockerDaemon;
  let runner: Runner;
  beforeAll(async () => {
    registry = await startToolsRegistry();
  });
  afterAll(() => registry.close());
  beforeEach(async () => {
    runner = createRunner('daemon');
    daemon = createDockerDaemon();
    await daemon.start();
  });
  afterEach(async () => {
    await daemon.close();
    await runner.remove();
  });

  /** Starts a step that takes `seconds`, and resolves when it runs. */
  async function startStep(seconds: string): Promise<Started> {
    const tool = runner.write('tool.cwl', toTool(registry.tools, seconds));
    const started = runner.start(['--executor', 'docker', tool], { env: daemon.environment });
    for (let tries = 0; tries < 1200 && !isRunning(seconds); tries += 1) await sleep(50);
    expect(isRunning(seconds)).toBe(true);
    return started;
  }

  const stepContainers = async (): Promise<Container[]> => {
    const { items } = await runner.withRecords((cluster) => cluster.list('containers', { order: ['created_at asc'] }));
    return items.filter(({ command }) => command[0] === 'sh');
  };

  it('that is killed under a step fails it in one line, and leaves nothing running', async () => {
    const seconds = `61.${process.pid}`;
    const { ended } = await startStep(seconds);
    await daemon.kill('both');
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(1);
    expect(stderr.match(/^.*docker (does not answer|stopped answering).*$/gm)).toHaveLength(1);
    for (const { state, exit_code, runtime_status } of await stepContainers()) {
      expect({ state, exit_code }).toEqual({ state: 'Cancelled', exit_code: null });
      expect(runtime_status.error).toMatch(/^docker (does not answer|stopped answering)/);
    }
    expect(await lastingProcessesWith(seconds)).toEqual([]);
    expect(unfinishedIn(runner.home)).toEqual([]);
  });

  it('that comes back has the step run again', async () => {
    const seconds = `4.${process.pid}`;
    const { ended } = await startStep(seconds);
    await daemon.kill('both');
    await daemon.start();
    const { exitCode, stdout } = await ended;
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('"out"')]);
    const [first, second] = await stepContainers();
    expect(first).toMatchObject({ state: 'Cancelled', exit_code: null });
    expect(first?.runtime_status.error).toMatch(/^docker (stopped answering|lost the container)/);
    expect(second).toMatchObject({ state: 'Complete', exit_code: 0 });
    expect(await lastingProcessesWith(seconds)).toEqual([]);
  });

  it('whose image is removed before the step starts is given it again', async () => {
    const once = join(runner.folder, 'removed');
    const program = runner.write(
      'docker',
      `#!/bin/sh
      [ "$1" != run ] || ! mkdir ${once} 2>/dev/null || /usr/bin/docker image rm --force $(/usr/bin/docker image ls --quiet) >${once}/what
      exec /usr/bin/docker "$@"`,
    );
    chmodSync(program, 0o755);
    const env = { ...daemon.environment, PATH: `${runner.folder}:${daemon.environment.PATH}` };
    const tool = runner.write('tool.cwl', toTool(registry.tools, '0'));
    expect((await runner.run(['--executor', 'docker', tool], { env })).exitCode).toBe(0);
    expect(readFileSync(join(once, 'what'), 'utf8')).toContain('localhost/hallmark:');
    const [first, second] = await stepContainers();
    expect(first).toMatchObject({ state: 'Cancelled', exit_code: null });
    expect(first?.runtime_status.error).toMatch(/^docker has no image sha256:\w+ any more$/);
    expect(second).toMatchObject({ state: 'Complete', exit_code: 0 });
  });

  it('whose containerd is killed brings the step to one true end', async () => {
    const seconds = `5.${process.pid}`;
    const { ended } = await startStep(seconds);
    await daemon.kill('containerd');
    expect((await ended).exitCode).toBe(0);
    const containers = await stepContainers();
    expect(containers.at(-1)).toMatchObject({ state: 'Complete', exit_code: 0 });
    for (const { state, exit_code } of containers.slice(0, -1)) {
      expect({ state, exit_code }).toEqual({ state: 'Cancelled', exit_code: null });
    }
    expect(await lastingProcessesWith(seconds)).toEqual([]);
  });
});

const isRunning = (seconds: string): boolean => processesWith(`sleep\0${seconds}`).length > 0;

const toTool = (image: string, seconds: string): string => `
cwlVersion: v1.2
class: CommandLineTool
hints: { DockerRequirement: { dockerPull: "${image}" } }
baseCommand: [sh, -c, 'sleep ${seconds}; echo made']
inputs: []
outputs: { out: stdout }
stdout: out.txt
`;
