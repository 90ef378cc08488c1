import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { completionCommand } from '../commands/completion.ts';
import { runOptions } from '../options/options.ts';
import { completionScripts } from './scripts.ts';

const folder = mkdtempSync(join(tmpdir(), 'hallmark-completion-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const main = resolve(import.meta.dirname, '../main.ts');
writeFileSync(join(folder, 'cwl-runner'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
chmodSync(join(folder, 'cwl-runner'), 0o755);
mkdirSync(join(folder, 'work/sub'), { recursive: true });
writeFileSync(join(folder, 'work/notes.txt'), '');
writeFileSync(
  join(folder, 'work/tool.cwl'),
  'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: cat\ninputs: {genome: File, depth: int}\noutputs: []\n',
);

const environment = { PATH: `${folder}:${process.env.PATH}`, HOME: folder };
const run = (program: string, args: readonly string[]) =>
  execFileSync(program, args, { cwd: join(folder, 'work'), env: environment, encoding: 'utf8' })
    .trim()
    .split('\n');
const missing = (program: string) => spawnSync(program, ['--version']).error !== undefined;

const bash = (...words: readonly string[]) => {
  const list = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(cwl-runner ${list}); COMP_CWORD=${words.length}; _cwl_runner cwl-runner; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run('bash', ['--norc', '-c', `${completionScripts.bash}${ask}`]);
};

describe('completion', () => {
  it('in bash: commands, documents, flags, choices and the inputs of the document', () => {
    expect(bash('pro')).toEqual(['provenance']);
    expect(bash('')).toEqual(expect.arrayContaining(['graph', 'rerun', 'sub/', 'tool.cwl']));
    expect(bash('')).not.toContain('notes.txt');
    expect(bash('--on-e')).toEqual(['--on-error']);
    expect(bash('--on-error', '')).toEqual(['stop', 'continue']);
    expect(bash('tool.cwl', '--ge')).toEqual(['--genome']);
    expect(bash('tool.cwl', '--genome', 'no')).toEqual(['notes.txt']);
  });

  it('in bash: every flag that is not refused, its opposite too', () => {
    const accepted = Object.entries(runOptions).filter(([, { refused }]) => refused === undefined);
    expect(bash('--')).toEqual(expect.arrayContaining(accepted.map(([name]) => `--${name}`)));
    expect(bash('--no-')).toEqual(
      expect.arrayContaining(['--no-container', '--no-match-user', '--no-read-only', '--no-compute-checksum']),
    );
    expect(bash('--print-rd')).toEqual(['']);
  });

  it.skipIf(missing('fish'))('in fish', () => {
    const script = `${completionScripts.fish}complete -C 'cwl-runner tool.cwl --ge'`;
    expect(run('fish', ['--no-config', '-c', script])).toEqual(['--genome']);
  });

  it.skipIf(missing('zsh'))('in zsh', () => {
    const stub = 'compadd() { until [[ $1 == -- ]]; do shift; done; shift; print -l -- "$@"; };';
    const ask = 'words=(cwl-runner tool.cwl --ge); CURRENT=3; _cwl_runner';
    const lines = run('zsh', ['-f', '-c', `${completionScripts.zsh}\n${stub}\n${ask}`]);
    expect(lines.filter((line) => line !== '')).toContain('--genome');
  });

  it('names the shells that it has', async () => {
    await expect(completionCommand(['tcsh'])).rejects.toMatchObject({
      code: 'cli/usage',
      message: 'completion: expected bash, zsh or fish, got tcsh',
    });
  });
});
