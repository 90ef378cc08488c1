import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSetting, onHost, type Setting } from './crunch-setting.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await createSetting();
});
afterEach(() => setting.close());

const isRoot = process.getuid?.() === 0;
const scratchEntries = (): string[] => {
  const root = join(setting.deps.workDir, 'scratch');
  return readdirSync(root).flatMap((owner) => readdirSync(join(root, owner)));
};

/** 3600 bytes; two of them are more than any system call takes. */
const longPath = Array(18).fill('0'.repeat(200)).join('/');

/** Puts other things into the place of every file of every output, and the file back, as fast as it can. */
function swapFiles(scratch: string, secret: string) {
  const code = `const fs = require("fs"); const { execFileSync } = require("child_process");
    const [scratch, secret] = process.argv.slice(1);
    execFileSync("mkfifo", [scratch + ".fifo"]);
    const quietly = (work) => { try { return work() } catch { return [] } };
    const others = [(at) => fs.symlinkSync(secret, at), (at) => fs.linkSync(scratch + ".fifo", at), (at) => fs.mkdirSync(at)];
    for (let turn = 0; ; turn += 1) for (const owner of quietly(() => fs.readdirSync(scratch)))
      for (const uuid of quietly(() => fs.readdirSync(scratch + "/" + owner))) {
        const out = scratch + "/" + owner + "/" + uuid + "/out/";
        for (const name of quietly(() => fs.readdirSync(out))) quietly(() => {
          fs.renameSync(out + name, out + "../aside");
          quietly(() => others[turn % 3](out + name));
          quietly(() => fs.rmSync(out + name, { recursive: true }));
          fs.renameSync(out + "../aside", out + name);
        });
      }`;
  return spawn(process.execPath, ['-e', code, scratch, secret], { stdio: 'ignore' });
}

describe('what a container leaves to harm who collects it', { timeout: 120_000 }, () => {
  test('directories deeper than any path can say are refused, and go from the scratch space', async () => {
    const script = `mkdir -p ${longPath} b/${longPath}; printf deep > b/${longPath}/f; chmod 500 b/${longPath}; mv b ${longPath}`;
    const container = await setting.run(onHost(script));
    expect(container.runtime_status.error).toMatch(/^a path in a collection is longer than 4096 characters/);
    expect(scratchEntries()).toEqual([]);
    expect(setting.complaints).toEqual([]);
  });

  test.each([
    ['a link', 'ln -s /etc out', 'ENOTDIR'],
    ['a file', 'echo > out', 'ENOTDIR'],
    ['nothing', ':', 'ENOENT'],
  ])('%s in the place of the output directory gives nothing of the host', async (_what, script, code) => {
    const container = await setting.run(onHost(`cd ..; rmdir out; ${script}`));
    expect(container).toMatchObject({ state: 'Cancelled', output: null });
    expect(container.runtime_status).toMatchObject({
      error: `cannot read the output directory ".": ${code}`,
      errorDetail: expect.stringContaining('leave output directories in their places'),
      retryable: false,
    });
    expect(scratchEntries()).toEqual([]);
  });

  test.runIf(isRoot)('devices are left out, and never opened', async () => {
    // 5:0 is the terminal of whoever opens it, 1:1 the memory of the machine.
    const container = await setting.run(onHost('mknod tty c 5 0; mknod mem c 1 1; mknod disk b 254 0; echo x > f'));
    expect(await setting.readOutput(container)).toEqual({ f: 'x\n' });
    for (const name of ['tty', 'mem', 'disk']) {
      expect(container.runtime_status.warningDetail).toContain(`"${name}" is neither file, directory nor symlink`);
    }
  });

  test('files that turn into links, FIFOs and directories while they are collected give nothing of the host', async () => {
    const secret = join(setting.directory, 'host-secret');
    writeFileSync(secret, 'HOST', { mode: 0o640 });
    const scratch = join(setting.deps.workDir, 'scratch');
    mkdirSync(scratch, { recursive: true });
    const swapping = swapFiles(scratch, secret);
    const states = new Set<string>();
    try {
      for (let round = 0; round < 12; round += 1) {
        const container = await setting.run(
          onHost('i=0; while [ $i -lt 40 ]; do echo mine > f$i 2>/dev/null; i=$((i+1)); done'),
        );
        states.add(container.state);
        const output = await setting.readOutput(container);
        for (const text of Object.values(output)) expect(text === 'mine\n' || text === '').toBe(true);
      }
    } finally {
      swapping.kill();
    }
    expect([readFileSync(secret, 'utf8'), statSync(secret).mode & 0o777]).toEqual(['HOST', 0o640]);
    expect(states.size).toBeGreaterThan(0);
  });
});
