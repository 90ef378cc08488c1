import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readGitFacts } from './git-facts.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hallmark-git-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'commit.gpgsign=false'];
const git = (...args: string[]) =>
  execFileSync('git', ['-C', folder, ...identity, ...args], { encoding: 'utf8' }).trim();

function makeRepository(): string {
  git('init', '-q', '-b', 'main');
  mkdirSync(join(folder, 'tools'));
  writeFileSync(join(folder, 'tools/Dockerfile'), 'FROM scratch\n');
  git('add', '.');
  git('commit', '-q', '-m', 'first', '--date', '2026-01-02T03:04:05Z');
  return git('rev-parse', 'HEAD');
}

describe('the facts of a work tree', () => {
  it('are undefined outside one, and in one without a commit', async () => {
    expect(await readGitFacts(folder)).toBeUndefined();
    git('init', '-q');
    expect(await readGitFacts(folder)).toBeUndefined();
    expect(await readGitFacts(join(folder, 'none'))).toBeUndefined();
  });

  it('name commit, branch and place; a clean tree has an empty status', async () => {
    const commit = makeRepository();
    git('remote', 'add', 'origin', 'https://git.example/ada/tools.git');
    git('-c', 'tag.gpgsign=false', 'tag', 'v1');
    expect(await readGitFacts(join(folder, 'tools'))).toEqual({
      'arv:gitCommit': commit,
      'arv:gitDate': expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      'arv:gitCommitter': 'Ada <ada@example.org>',
      'arv:gitBranch': 'main',
      'arv:gitOrigin': 'https://git.example/ada/tools.git',
      'arv:gitStatus': '',
      'arv:gitDescribe': 'v1',
      'arv:gitPath': 'tools/',
    });
  });

  it('tell what is changed, and what is new', async () => {
    makeRepository();
    writeFileSync(join(folder, 'tools/Dockerfile'), 'FROM debian\n');
    writeFileSync(join(folder, 'new.txt'), '');
    expect(await readGitFacts(folder)).toMatchObject({ 'arv:gitStatus': ' M tools/Dockerfile\n?? new.txt' });
  });

  it('do not give away the login of the origin', async () => {
    makeRepository();
    git('remote', 'add', 'origin', 'https://ada:secret@git.example/ada/tools.git');
    const facts = await readGitFacts(folder);
    expect(facts).toMatchObject({ 'arv:gitOrigin': 'https://git.example/ada/tools.git' });
    expect(JSON.stringify(facts)).not.toContain('secret');
  });

  it('have an empty origin where there is none', async () => {
    makeRepository();
    expect(await readGitFacts(folder)).toMatchObject({ 'arv:gitOrigin': '' });
  });
});
