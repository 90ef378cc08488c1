import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GitScope, readGitFacts } from './git-facts.ts';

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
    expect(await readGitFacts(folder, 'folder')).toBeUndefined();
    git('init', '-q');
    expect(await readGitFacts(folder, 'folder')).toBeUndefined();
    expect(await readGitFacts(join(folder, 'none'), 'folder')).toBeUndefined();
  });

  it('name commit, branch and place; a clean tree has an empty status', async () => {
    const commit = makeRepository();
    git('remote', 'add', 'origin', 'https://git.example/ada/tools.git');
    git('-c', 'tag.gpgsign=false', 'tag', 'v1');
    expect(await readGitFacts(join(folder, 'tools'), 'folder')).toEqual({
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
    expect(await readGitFacts(folder, 'folder')).toMatchObject({ 'arv:gitStatus': ' M tools/Dockerfile\n?? new.txt' });
  });

  it('do not call clean what git ignores: a file of a folder, or all that lies around a document', async () => {
    makeRepository();
    writeFileSync(join(folder, '.gitignore'), '*.jar\nscratch/\n');
    git('add', '.');
    git('commit', '-q', '-m', 'ignore');
    writeFileSync(join(folder, 'tools/tool.jar'), '');
    mkdirSync(join(folder, 'scratch/work'), { recursive: true });
    writeFileSync(join(folder, 'scratch/work/Dockerfile'), 'FROM scratch\n');
    const status = async (of: string, scope: GitScope) =>
      (await readGitFacts(join(folder, of), scope))?.['arv:gitStatus'];
    expect(await status('tools', 'folder')).toBe('!! tools/tool.jar');
    expect(await status('tools', 'document')).toBe('');
    expect(await status('scratch/work', 'document')).toBe('!! scratch/');
  });

  it('of a document tell what is changed elsewhere in its tree', async () => {
    makeRepository();
    mkdirSync(join(folder, 'cwl'));
    writeFileSync(join(folder, 'cwl/tool.cwl'), '');
    git('add', '.');
    git('commit', '-q', '-m', 'tool');
    writeFileSync(join(folder, 'tools/Dockerfile'), 'FROM debian\n');
    writeFileSync(join(folder, 'new.txt'), '');
    const status = async (scope: GitScope) => (await readGitFacts(join(folder, 'cwl'), scope))?.['arv:gitStatus'];
    expect(await status('document')).toBe(' M tools/Dockerfile');
    expect(await status('folder')).toBe('');
  });

  it('have no status where git does not say one', async () => {
    const commit = makeRepository();
    writeFileSync(join(folder, '.git/index'), 'damaged');
    const facts = await readGitFacts(folder, 'folder');
    expect(facts).toMatchObject({ 'arv:gitCommit': commit });
    expect(facts).not.toHaveProperty('arv:gitStatus');
  });

  it('keep whole lines of a long status', async () => {
    makeRepository();
    for (let index = 0; index < 300; index += 1) writeFileSync(join(folder, `a-file-of-the-tree-${index}`), '');
    const status = (await readGitFacts(folder, 'document'))?.['arv:gitStatus'] ?? '';
    expect(status.length).toBeLessThanOrEqual(4096);
    expect(status).toMatch(/\n\?\? a-file-of-the-tree-\d+\n\.\.\.$/);
  });

  it('do not give away the login of the origin', async () => {
    makeRepository();
    git('remote', 'add', 'origin', 'https://ada:secret@git.example/ada/tools.git');
    const facts = await readGitFacts(folder, 'folder');
    expect(facts).toMatchObject({ 'arv:gitOrigin': 'https://git.example/ada/tools.git' });
    expect(JSON.stringify(facts)).not.toContain('secret');
  });

  it('have an empty origin where there is none', async () => {
    makeRepository();
    expect(await readGitFacts(folder, 'folder')).toMatchObject({ 'arv:gitOrigin': '' });
  });
});
