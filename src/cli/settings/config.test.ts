import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBuilderSetting, readConfig, readExecutorSetting } from './config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the home', () => {
  it('is HALLMARK_HOME, made for its owner alone', () => {
    const home = join(folder, 'deep/home');
    expect(readConfig({ HALLMARK_HOME: home, XDG_DATA_HOME: folder })).toEqual({ home });
    expect(statSync(home).mode & 0o777).toBe(0o700);
  });

  it('is in XDG_DATA_HOME otherwise', () => {
    const home = join(folder, 'hallmark');
    expect(readConfig({ HALLMARK_HOME: '', XDG_DATA_HOME: folder })).toEqual({ home });
    expect(existsSync(home)).toBe(true);
  });

  it('that is no folder is named', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const home of [file, join(file, 'inner'), '/proc/inner', '/proc/inner/more']) {
      expect(() => readConfig({ HALLMARK_HOME: home })).toThrow(
        expect.objectContaining({
          code: 'cli/bad-config',
          message: expect.stringMatching(new RegExp(`^cannot use ${home} as home: E`)),
          hint: 'set HALLMARK_HOME to a folder that you may write to',
        }),
      );
    }
  });
});

describe('what runs and builds', () => {
  it.each([
    [{}, 'sandbox', 'hallmark'],
    [{ HALLMARK_EXECUTOR: '', HALLMARK_BUILDER: '' }, 'sandbox', 'hallmark'],
    [{ HALLMARK_EXECUTOR: 'podman', HALLMARK_BUILDER: 'buildah' }, 'podman', 'buildah'],
    [{ HALLMARK_EXECUTOR: 'singularity' }, 'apptainer', 'hallmark'],
  ])('with %j is %s and %s', (environment, executor, builder) => {
    expect(readExecutorSetting(environment)).toBe(executor);
    expect(readBuilderSetting(environment)).toBe(builder);
  });

  it('is refused where it is unknown', () => {
    expect(() => readExecutorSetting({ HALLMARK_EXECUTOR: 'lxc' })).toThrow(
      expect.objectContaining({
        code: 'cli/bad-config',
        message: 'expected HALLMARK_EXECUTOR to be one of sandbox, docker, podman, apptainer, got lxc',
      }),
    );
    expect(() => readBuilderSetting({ HALLMARK_BUILDER: 'kaniko' })).toThrow(
      /HALLMARK_BUILDER to be one of hallmark, /,
    );
  });
});
