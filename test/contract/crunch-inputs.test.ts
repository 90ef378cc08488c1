import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Container } from '../../src/api/records.ts';
import { createHostExecutor } from '../../src/executor/host/host.ts';
import type { Executor } from '../../src/executor/port.ts';
import { createLauncher } from '../../src/executor/process/launcher.ts';
import { shellLauncher } from '../../src/executor/process/launcher-shell.ts';
import type { Collection } from '../../src/keep/collection.ts';
import { createSetting, onHost, type Setting } from './crunch-setting.ts';

let setting: Setting;
let input: Collection;
beforeEach(async () => {
  setting = await createSetting();
  input = await setting.store({ 'd/a': 'one', 'd/b': 'two' });
});
afterEach(() => setting.close());

const target = '/hallmark.host/in';
const treeOf = ({ portableDataHash }: Collection) => join(setting.blocks.directory, 'trees', portableDataHash);

function reading(collection: Collection, script: string): Partial<Container> {
  const mounts = { [target]: { kind: 'collection', portable_data_hash: collection.portableDataHash } } as const;
  return onHost(script, { mounts });
}

const canMount =
  process.getuid?.() === 0 && spawnSync('unshare', ['--mount', '--propagation', 'slave', 'true']).status === 0;

test.runIf(canMount).each([
  ['a file', `echo more >> ${target}/d/a`],
  ['a new file', `echo more > ${target}/d/c`],
  ['a file that goes', `rm ${target}/d/a`],
  ['permissions', `chmod -R 777 ${target}/`],
])('root cannot write to what steps share: %s', async (_what, script) => {
  const executor = createHostExecutor({ readOnly: [setting.blocks.directory] });
  const container = await setting.run(reading(input, script), { executor });
  expect(container).toMatchObject({ state: 'Complete', exit_code: expect.toSatisfy((code) => code > 0) });
  expect((await setting.readLog(container))['stderr.txt']).toContain('Read-only file system');
  const next = await setting.run(reading(input, `cp ${target}/d/* .`), { executor });
  expect(await setting.readOutput(next)).toEqual({ a: 'one', b: 'two' });
});

test.runIf(process.getuid?.() === 0)('says of a command of root that nothing kept it from writing', async () => {
  const executor = createHostExecutor({ launcher: createLauncher(shellLauncher) });
  const container = await setting.run(reading(input, `echo 111 > ${target}/d/a`), { executor });
  expect(container.runtime_status.error).toMatch(/^expected the input at/);
});

/** As by a user whom the modes of files keep from nothing. */
const host = createHostExecutor({ launcher: createLauncher(shellLauncher) });
const exposing: Executor = {
  ...host,
  async start(image, spec) {
    const running = await host.start(image, spec);
    return { ...running, exit: running.exit.then((exit) => ({ ...exit, couldWriteInputs: true })) };
  },
};
const write = (script: string) => reading(input, `chmod -R u+w ${target}/; cd ${target}/d; ${script}`);

describe('a command that changed its input', () => {
  test.each([
    ['a file of the same size', 'printf 111 > a', '"d/a"'],
    ['a longer file', 'echo more >> a', '"d/a"'],
    ['an added file', 'echo more > c', '"d/c"'],
    ['a file that goes', 'rm a', '"d/a"'],
    ['a file in the place of a directory', 'cd ..; rm -r d; echo > d', '"d/a", "d/b"'],
    ['a file with another name', 'mv a aa', '"d/a", "d/aa"'],
    ['a link', 'ln -sf /etc/passwd a', '"d/a"'],
    ['an edited copy', 'sed -i s/one/two/ a', '"d/a"'],
  ])('fails, and what it made of it is not used again: %s', async (_what, script, named) => {
    const container = await setting.run(write(script), { executor: exposing });
    expect(container).toMatchObject({ state: 'Cancelled', exit_code: null, output: null });
    expect(container.runtime_status).toMatchObject({
      error: `expected the input at ${target} to stay as it is, got changes in ${named}`,
      errorDetail: expect.stringContaining('hint: copy the input first'),
      retryable: false,
    });
    expect(existsSync(treeOf(input))).toBe(false);
    const next = await setting.run(reading(input, `cp ${target}/d/* .`), { executor: exposing });
    if (next.state === 'Complete') expect(await setting.readOutput(next)).toEqual({ a: 'one', b: 'two' });
    else expect(next.runtime_status.error).toMatch(/^the store does not hold block/);
  });

  test('takes other trees with it that show the same file, and no more', async () => {
    const [same, other] = [await setting.store({ x: 'one' }), await setting.store({ x: 'three' })];
    for (const one of [same, other]) await setting.run(reading(one, 'true'), { executor: exposing });
    await setting.run(write('printf 111 > a'), { executor: exposing });
    expect([existsSync(treeOf(same)), existsSync(treeOf(other))]).toEqual([false, true]);
  });

  test('is noticed when it is cancelled', async () => {
    const stop = new AbortController();
    const running = setting.run(write('printf 111 > a; : > /hallmark.host/out/up; sleep 60'), {
      executor: {
        ...exposing,
        async start(image, spec) {
          const started = await exposing.start(image, spec);
          while (!existsSync(join(spec.workingDir, 'up'))) await new Promise((resolve) => setTimeout(resolve, 5));
          stop.abort();
          return started;
        },
      },
      signal: stop.signal,
    });
    expect((await running).runtime_status.error).toBe('the container was cancelled');
    expect(existsSync(treeOf(input))).toBe(false);
  });
});

test('a command that only reads its input is Complete', async () => {
  const container = await setting.run(reading(input, `cat ${target}/d/* > all; touch -a ${target}/d/a`), {
    executor: exposing,
  });
  expect(await setting.readOutput(container)).toEqual({ all: 'onetwo' });
});
