import { describe, expect, it } from 'vitest';
import { createHostExecutor } from '../../src/executor/host/host.ts';
import { createLauncher } from '../../src/executor/process/launcher.ts';
import { perlLauncher } from '../../src/executor/process/launcher-perl.ts';
import { shellLauncher } from '../../src/executor/process/launcher-shell.ts';
import { describeExecutor } from './executor.ts';
import { toLoadableImage } from './executor-images.ts';

for (const [name, program] of Object.entries({ perl: perlLauncher, shell: shellLauncher })) {
  const prepare = async () => ({
    executor: createHostExecutor({ launcher: createLauncher(program) }),
    image: toLoadableImage([]),
  });
  describeExecutor(`host by ${name}`, prepare, { isolates: false, limitsMemory: false, limitsProcesses: false });
}

describe.each([
  ['perl', perlLauncher],
  ['shell', shellLauncher],
])('the launcher in %s', (_name, program) => {
  it.each([
    ['an argument', { command: ['echo', 'a\0b'] }],
    ['a variable', { command: ['true'], environment: { A: 'x\0y\0/bin/sh' } }],
    ['a path', { command: ['true'], stdin: '/dev/null\0/etc/passwd' }],
  ])('takes no zero byte in %s', async (_what, words) => {
    const where = { cwd: '/', stdin: '/dev/null', stdout: '/dev/null', stderr: '/dev/null' };
    await expect(createLauncher(program).launch({ ...where, ...words })).rejects.toMatchObject({
      code: 'executor/start-failed',
      message: expect.stringContaining('zero byte'),
    });
  });
});
