import { getEventListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apiError } from '../../src/api/errors.ts';
import { crunchError } from '../../src/crunch/errors.ts';
import { liveLogDir } from '../../src/crunch/logs/container-logs.ts';
import type { ExecutorName } from '../../src/executor/port.ts';
import { createFakeExecutor, type FakeExecutorOptions } from '../fakes/executor.ts';
import { createSetting, imageCollection, onHost, type Setting, withImage } from './crunch-setting.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await createSetting();
});
afterEach(() => setting.close());

const timed = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /;

describe('words that no program can be given', () => {
  test.each([
    ['the command', { command: ['echo', 'a\0b'] }],
    ['a variable', { command: ['env'], environment: { A: 'x\0/bin/sh\0-c\0echo out' } }],
    ['the name of a variable', { command: ['env'], environment: { 'A\0B': 'x' } }],
  ])('are refused in %s, and nothing is started', async (_what, work) => {
    const executor = createFakeExecutor();
    const record = { container_image: imageCollection, cwd: '.', environment: {}, mounts: {}, output_path: '/tmp' };
    const container = await setting.run({ ...record, ...work }, { executor });
    expect(container).toMatchObject({ state: 'Cancelled', exit_code: null });
    expect(container.runtime_status.error).toMatch(/without zero bytes, got ".*\\u0000/);
    expect(executor.open.size).toBe(0);
  });
});

/** The cases of Arvados #7816. */
describe('the minimal container', () => {
  const minimal = {
    container_image: imageCollection,
    cwd: '.',
    environment: {},
    mounts: {},
    output_path: '/tmp',
  } as const;

  test('echo hello world: loaded, run, logged, complete', async () => {
    const executor = createFakeExecutor();
    const container = await setting.run({ ...minimal, command: ['echo', 'hello world'] }, { executor });
    expect(setting.api.states.get(container.uuid)).toEqual(['Locked', 'Running', 'Complete']);
    expect(container).toMatchObject({ exit_code: 0, output: 'd41d8cd98f00b204e9800998ecf8427e+0' });
    expect(executor.loaded).toHaveLength(1);
    expect(executor.open.size).toBe(0);
    const log = await setting.readLog(container);
    expect(Object.keys(log).sort()).toEqual([
      'container.json',
      'crunch-run.txt',
      'crunchstat.txt',
      'node-info.json',
      'stdout.txt',
    ]);
    expect(log['stdout.txt']).toMatch(/^\S+ hello world\n$/);
    for (const line of log['crunch-run.txt']?.trimEnd().split('\n') ?? []) expect(line).toMatch(timed);
    expect(JSON.parse(log['container.json'] ?? '')).toMatchObject({
      uuid: container.uuid,
      command: ['echo', 'hello world'],
    });
    expect(JSON.parse(log['node-info.json'] ?? '')).toHaveProperty('cpus.count');
    expect(existsSync(liveLogDir(setting.deps.workDir, container.uuid))).toBe(false);
  });

  test('false: exit code 1 is no failure of the infrastructure', async () => {
    const container = await setting.run({ ...minimal, command: ['false'] });
    expect(container).toMatchObject({ state: 'Complete', exit_code: 1 });
    expect(container.runtime_status.error).toBeUndefined();
  });

  test('pwd: prints the working directory of the image', async () => {
    const executor = createFakeExecutor({ workingDir: '/usr' });
    const container = await setting.run({ ...minimal, command: ['pwd'] }, { executor });
    expect((await setting.readLog(container))['stdout.txt']).toMatch(/ \/usr\n$/);
  });

  test('the entrypoint of the image comes first: the record and the log say so', async () => {
    const executor = createFakeExecutor({ entrypoint: ['sh', '-c', 'echo "$0 $@"'] });
    const container = await setting.run({ ...minimal, command: ['a', 'b'] }, { executor });
    expect(container).toMatchObject({
      command: ['a', 'b'],
      runtime_status: { entrypoint: ['sh', '-c', 'echo "$0 $@"'] },
    });
    const log = await setting.readLog(container);
    expect(log['stdout.txt']).toMatch(/ a b\n$/);
    expect(log['crunch-run.txt']).toContain(
      `started with the image's entrypoint: ["sh","-c","echo \\"$0 $@\\"","a","b"]\n`,
    );
    expect((await setting.run({ ...minimal, command: ['true'] })).runtime_status).not.toHaveProperty('entrypoint');
  });

  test('both streams, an unfinished last line, the usage', async () => {
    const container = await setting.run({ ...minimal, command: ['sh', '-c', 'echo out; printf err >&2; exit 7'] });
    const log = await setting.readLog(container);
    expect(container.exit_code).toBe(7);
    expect(log['stdout.txt']?.replace(timed, '')).toBe('out\n');
    expect(log['stderr.txt']?.replace(timed, '')).toBe('err\n');
    expect(log['crunchstat.txt']).toMatch(/ cpu 0\.2500 user 0\.1250 sys\n\S+ mem 1234567 peak\n/);
    expect(container.runtime_status.usage).toMatchObject({ peakRamBytes: 1234567, cpuSeconds: 0.375 });
  });

  test('a command on the host: the record says which directory it saw', async () => {
    const container = await setting.run(onHost('pwd > where'));
    const { where } = await setting.readOutput(container);
    expect(where).toBe(`${container.runtime_status.hostDirectory}/out\n`);
    expect((await setting.run(minimal)).runtime_status).not.toHaveProperty('hostDirectory');
  });

  test('a missing command is exit code 127', async () => {
    const container = await setting.run({ ...minimal, command: ['/no/such/command'] });
    expect(container).toMatchObject({ state: 'Complete', exit_code: 127 });
  });

  test('a death by signal is 128 + its number', async () => {
    const container = await setting.run({ ...minimal, command: ['sh', '-c', 'kill -TERM $$'] });
    expect(container).toMatchObject({ state: 'Complete', exit_code: 143 });
  });
});

describe('failures of the infrastructure', () => {
  const faults: [NonNullable<FakeExecutorOptions['failing']>, string][] = [
    ['runtime', 'the engine is not there'],
    ['loadImage', 'cannot load image'],
    ['start', 'the engine refused to start the container'],
    ['exit', 'the engine died'],
  ];
  test.each(faults)('%s: Cancelled, with the cause and the log', async (failing, message) => {
    const container = await setting.run(withImage(['true']), { executor: createFakeExecutor({ failing }) });
    expect(container).toMatchObject({ state: 'Cancelled', exit_code: null });
    expect(container.runtime_status.error).toContain(message);
    expect((await setting.readLog(container))['crunch-run.txt']).toContain(`Cancelled: ${message}`);
    expect(await leftovers()).toEqual([]);
  });

  test('a container that cannot be cleared away has its result all the same', async () => {
    const executor = createFakeExecutor({ failing: 'close' });
    const container = await setting.run(withImage(['sh', '-c', 'echo x > /out/a']), { executor });
    expect(container).toMatchObject({ state: 'Complete', exit_code: 0 });
    expect(setting.complaints).toEqual([`container ${container.uuid} could not be cleared away: the engine is gone`]);
  });

  test('the hint goes into the detail', async () => {
    const container = await setting.run(withImage(['true']), { executor: createFakeExecutor({ failing: 'runtime' }) });
    expect(container.runtime_status.errorDetail).toBe('hint: install it');
  });

  test('an image that is not there', async () => {
    const images = {
      open: async () => Promise.reject(crunchError('crunch/bad-image', 'the image collection holds two files')),
    };
    const container = await setting.run(withImage(['true']), { deps: { images } });
    expect(container).toMatchObject({
      state: 'Cancelled',
      runtime_status: { error: 'the image collection holds two files' },
    });
  });

  test('an image name instead of a hash', async () => {
    const container = await setting.run(withImage(['true'], { container_image: 'debian:8' }));
    expect(container.runtime_status.error).toMatch(/expected a portable data hash as container_image, got "debian:8"/);
  });

  test('an input that no collection holds', async () => {
    const missing = { kind: 'collection', portable_data_hash: imageCollection } as const;
    const container = await setting.run(onHost('true', { mounts: { '/hallmark.host/in': missing } }));
    expect(container.runtime_status.error).toBe(`no collection has the content ${imageCollection}`);
  });

  test('a container that nobody locked', async () => {
    const container = await setting.run(onHost('true', { state: 'Queued' }));
    expect(container.runtime_status.error).toMatch(/expected state "Locked", got "Queued"/);
  });

  test('an output record that cannot be made', async () => {
    setting.api.refuse((resource, attributes) =>
      resource === 'collections' && JSON.stringify(attributes).includes('"output"')
        ? apiError('api/bad-attribute', 'no more collections')
        : undefined,
    );
    const container = await setting.run(onHost('echo x > a'));
    expect(container).toMatchObject({ state: 'Cancelled', exit_code: null, output: null });
    expect(container.runtime_status.error).toBe('no more collections');
  });

  test('a log that cannot be saved stays live, and is said to', async () => {
    setting.api.refuse((resource, attributes) =>
      resource === 'collections' && JSON.stringify(attributes).includes('"log"')
        ? apiError('api/bad-attribute', 'no room for logs')
        : undefined,
    );
    const container = await setting.run(onHost('echo kept; echo x > a'));
    const live = liveLogDir(setting.deps.workDir, container.uuid);
    expect(container).toMatchObject({ state: 'Complete', exit_code: 0, log: null });
    expect(container.runtime_status).toMatchObject({ warningDetail: `it stays in ${live}` });
    expect(await readFile(join(live, 'stdout.txt'), 'utf8')).toMatch(/ kept\n$/);
    expect(await readFile(join(live, 'crunch-run.txt'), 'utf8')).toContain(
      'the log could not be saved: no room for logs',
    );
    expect(setting.complaints.join('\n')).toContain('its log could not be saved: no room for logs');
  });

  test('a record that cannot be written keeps the live log and fails', async () => {
    const broken = apiError('api/unavailable', 'the store is gone');
    setting.api.refuse((_resource, attributes) =>
      'state' in attributes && attributes.state === 'Complete' ? broken : undefined,
    );
    await expect(setting.run(onHost('echo kept'))).rejects.toThrow('the store is gone');
    const [uuid = ''] = await readdir(join(setting.deps.workDir, 'logs'));
    expect(await readFile(join(setting.deps.workDir, 'logs', uuid, 'stdout.txt'), 'utf8')).toMatch(/ kept\n$/);
  });

  test('nothing is started before its turn, nor after it was cancelled', async () => {
    const turn = Promise.withResolvers<void>();
    const early: string[] = [];
    const deps = { turn: turn.promise, onEnded: () => early.push('ended') };
    const container = setting.run(onHost('echo x > a'), { deps });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(early).toEqual([]);
    turn.resolve();
    expect(await container).toMatchObject({ state: 'Complete', exit_code: 0 });
    const stop = new AbortController();
    const never = new Promise<void>(() => {});
    setTimeout(() => stop.abort(new Error('nobody wants it')), 20);
    const cancelled = await setting.run(onHost('true'), { deps: { turn: never }, signal: stop.signal });
    expect(cancelled.runtime_status.error).toBe('the container was cancelled: nobody wants it');
    expect(setting.api.states.get(cancelled.uuid)).toEqual(['Locked', 'Cancelled']);
  });

  test('a start that the cluster refuses ends the command', async () => {
    setting.api.refuse((_resource, attributes) =>
      'state' in attributes && attributes.state === 'Running'
        ? apiError('api/forbidden-change', 'not Running: no request wants it')
        : undefined,
    );
    const container = await setting.run(onHost('sleep 600'));
    expect(container).toMatchObject({ state: 'Cancelled', exit_code: null });
    expect(container.runtime_status.error).toBe('not Running: no request wants it');
  });

  test('a busy store is asked again', async () => {
    let refusals = 2;
    setting.api.refuse(() => {
      refusals -= 1;
      return refusals >= 0 ? apiError('api/unavailable', 'busy', { retryable: true }) : undefined;
    });
    expect(await setting.run(onHost('true'))).toMatchObject({ state: 'Complete', exit_code: 0 });
  });
});

describe('limits', () => {
  test('out of memory is told apart', async () => {
    const executor = createFakeExecutor({ outOfMemory: true });
    const constraints = { ram: 268_435_456, vcpus: 1 };
    const container = await setting.run(withImage(['sh', '-c', 'kill -9 $$'], { runtime_constraints: constraints }), {
      executor,
    });
    expect(container).toMatchObject({ state: 'Complete', exit_code: 137 });
    expect(container.runtime_status).toMatchObject({
      outOfMemory: true,
      errorDetail: expect.stringContaining('raise ramMin'),
    });
    expect(container.runtime_status.error).toContain('256 MiB');
  });

  test('a process that memory ran out for, in a command that went on, is told', async () => {
    const executor = createFakeExecutor({ outOfMemory: true });
    const container = await setting.run(withImage(['true']), { executor });
    expect(container).toMatchObject({ state: 'Complete', exit_code: 0 });
    expect(container.runtime_status).toMatchObject({
      warning: expect.stringMatching(/^a process was ended because memory ran out, and the command went on: /),
    });
    expect(container.runtime_status.outOfMemory).toBeUndefined();
  });

  test('the time limit ends the tree', async () => {
    const executor = createFakeExecutor();
    const work = withImage(['sh', '-c', 'sleep 600 & sleep 600'], { scheduling_parameters: { max_run_time: 0.2 } });
    const container = await setting.run(work, { executor });
    expect(container).toMatchObject({ state: 'Cancelled', exit_code: null });
    expect(container.runtime_status.error).toBe('the time limit of 0.2 s was reached: the command was ended');
    expect(executor.open.size).toBe(0);
  });

  describe('of the disk', () => {
    const tooMuch = 'head -c 3000000 /dev/zero';
    const inTmp = { '/out': { kind: 'tmp', capacity: 1 }, '/tmp': { kind: 'tmp', capacity: 1 } } as const;

    test('what is reserved is no limit', async () => {
      const executor = createFakeExecutor();
      const work = withImage(['sh', '-c', `${tooMuch} > $T/a; ${tooMuch} > $O/b`], { mounts: inTmp });
      const more = { environment: { T: '/tmp', O: '/out' }, scheduling_parameters: { 'hm:max_output': 3_100_000 } };
      expect(await setting.run({ ...work, ...more }, { executor })).toMatchObject({ state: 'Complete', exit_code: 0 });
    });

    test('ends a command that goes on', async () => {
      const executor = createFakeExecutor();
      const command = ['sh', '-c', `${tooMuch} > $T/a; sleep 600`];
      const limit = { environment: { T: '/tmp' }, scheduling_parameters: { 'hm:max_tmp': 1 << 20 } };
      const container = await setting.run(withImage(command, { mounts: inTmp, ...limit }), { executor });
      expect(container).toMatchObject({ state: 'Cancelled', exit_code: null });
      expect(container.runtime_status).toMatchObject({
        error: 'the command used 2.9 MiB of the 1.0 MiB that its tmpdir may hold',
        errorDetail: 'hint: raise tmpdirMax of its ResourceRequirement, or leave it out',
        retryable: false,
      });
      expect(executor.open.size).toBe(0);
    });

    test('holds for a command that was quick, too', async () => {
      const limit = { scheduling_parameters: { 'hm:max_output': 1 << 20 } };
      const container = await setting.run(onHost(`${tooMuch} > f`, limit));
      expect(container.runtime_status.error).toMatch(
        /^the command used 2\.9 MiB of the 1\.0 MiB that its outdir may hold$/,
      );
    });

    test('counts a file once, and a hole not at all', async () => {
      const script = `head -c 600000 /dev/zero > a; ln a b; ln a c; truncate -s 16M d`;
      const container = await setting.run(onHost(script, { scheduling_parameters: { 'hm:max_output': 1 << 20 } }));
      expect(container).toMatchObject({ state: 'Complete', exit_code: 0 });
    });
  });

  test('a record chooses its executor', async () => {
    const executors: string[] = [];
    const deps = {
      executors(name: ExecutorName) {
        executors.push(name);
        return createFakeExecutor({ name });
      },
    };
    const asking = (name: string) => withImage(['true'], { scheduling_parameters: { 'hm:executor': name } });
    for (const work of [
      withImage(['true']),
      asking('docker'),
      onHost('true', { scheduling_parameters: { 'hm:executor': 'docker' } }),
    ]) {
      expect(await setting.run(work, { deps })).toMatchObject({ state: 'Complete' });
    }
    expect(executors).toEqual(['sandbox', 'docker', 'host']);
    const refused = await setting.run(asking('host'), { deps });
    expect(refused.runtime_status.error).toMatch(
      /expected sandbox, docker, podman, apptainer as hm:executor, got "host"$/,
    );
    expect(executors).toHaveLength(3);
  });

  test('amounts reach the executor', async () => {
    const executor = createFakeExecutor();
    await setting.run(withImage(['true'], { runtime_constraints: { ram: 1000, vcpus: 2, API: true } }), { executor });
    expect(executor.specs[0]).toMatchObject({ ramBytes: 1000, vcpus: 2, network: true });
  });
});

describe('cancellation', () => {
  const phases = ['loadImage', 'start', 'started', 'exited'] as const;
  test.each(phases)('at %s: one final state, nothing left', async (phase) => {
    const controller = new AbortController();
    const onPhase = (at: string): void => {
      if (at === phase) controller.abort();
    };
    const executor = createFakeExecutor({ onPhase });
    const command = phase === 'exited' ? ['true'] : ['sleep', '600'];
    const container = await setting.run(withImage(command), { executor, signal: controller.signal });
    const states = setting.api.states.get(container.uuid);
    expect(states?.filter((state) => state === 'Cancelled' || state === 'Complete')).toEqual(['Cancelled']);
    expect(container).toMatchObject({ exit_code: null, runtime_status: { error: 'the container was cancelled' } });
    expect(executor.open.size).toBe(0);
    expect(await leftovers()).toEqual([]);
  });

  test('while it is cleared away: its end was decided before', async () => {
    const controller = new AbortController();
    const onPhase = (at: string): void => {
      if (at === 'close') controller.abort();
    };
    const executor = createFakeExecutor({ onPhase });
    const container = await setting.run(withImage(['true']), { executor, signal: controller.signal });
    expect(setting.api.states.get(container.uuid)).toEqual(['Locked', 'Running', 'Complete']);
    expect(executor.open.size).toBe(0);
    expect(await leftovers()).toEqual([]);
  });

  test('before anything', async () => {
    const container = await setting.run(onHost('true'), { signal: AbortSignal.abort() });
    expect(setting.api.states.get(container.uuid)).toEqual(['Locked', 'Cancelled']);
  });

  test('after the state is decided it changes nothing', async () => {
    const controller = new AbortController();
    setting.api.refuse((resource, attributes) => {
      if (resource === 'collections' && JSON.stringify(attributes).includes('"log"')) controller.abort();
      return undefined;
    });
    const container = await setting.run(onHost('true'), { signal: controller.signal });
    expect(container).toMatchObject({ state: 'Complete', exit_code: 0 });
  });

  test('after the end nobody listens to it', async () => {
    const { signal } = new AbortController();
    await setting.run(onHost('true'), { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('a container that cannot be stopped is given up with the engine as the cause', async () => {
    const controller = new AbortController();
    const executor = createFakeExecutor({
      failing: 'stop',
      onPhase: (at) => void (at === 'started' && controller.abort()),
    });
    const container = await setting.run(withImage(['sleep', '1']), { executor, signal: controller.signal });
    expect(container.state).toBe('Cancelled');
  });
});

/** What is there but empty directories kept for the next container. */
async function leftovers(): Promise<string[]> {
  const scratch = join(setting.deps.workDir, 'scratch');
  const owners = await readdir(scratch).catch(() => []);
  const names = (await Promise.all(owners.map((owner) => readdir(join(scratch, owner))))).flat();
  return names.filter((name) => !/^spare-\d+$/.test(name));
}
