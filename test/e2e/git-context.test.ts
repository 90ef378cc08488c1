import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRunner, type Runner, startToolsRegistry } from './runner.ts';

let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
let runner: Runner;
let server: Server;
let repo = '';

const git = (...args: string[]): string =>
  execFileSync('git', ['-C', repo, '-c', 'user.name=n', '-c', 'user.email=e@x', ...args], { encoding: 'utf8' }).trim();

/** Commits a version of the tool, as `tools/` of the repository; gives the commit. */
function commitTool(says: string): string {
  mkdirSync(join(repo, 'tools/bin'), { recursive: true });
  writeFileSync(join(repo, 'tools/Dockerfile'), `FROM ${registry.tools}\nCOPY --chmod=755 bin/tool /bin/\n`);
  writeFileSync(join(repo, 'tools/bin/tool'), `#!/bin/sh\necho ${says}\n`);
  git('add', '.');
  git('commit', '--quiet', '-m', says);
  git('update-server-info');
  return git('rev-parse', 'HEAD');
}

const document = (context: string): string => `cwlVersion: v1.2
class: CommandLineTool
$namespaces: { hm: "urn:hallmark:cwl#" }
hints: { hm:ImageBuild: { context: ${JSON.stringify(context)} } }
baseCommand: tool
inputs: {}
stdout: out.txt
outputs: { out: stdout }
`;

beforeAll(async () => {
  registry = await startToolsRegistry();
  // The "dumb" protocol: nothing but files, as any web server has them.
  server = createServer((request, response) => {
    const path = join(
      repo,
      '.git',
      decodeURIComponent((request.url ?? '').split('?')[0]?.replace('/repo.git', '') ?? ''),
    );
    if (!existsSync(path)) return void response.writeHead(404).end();
    createReadStream(path)
      .on('error', () => response.destroy())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.close();
  await registry.close();
});
beforeEach(() => {
  runner = createRunner('git-context');
  repo = join(runner.folder, 'repo');
  mkdirSync(repo);
  git('init', '--quiet', '--initial-branch=main');
  return () => runner.remove();
});

const httpUrl = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/repo.git`;

async function run(context: string) {
  runner.write('tool.cwl', document(context));
  return runner.run(['--outdir', 'out', 'tool.cwl']);
}

describe('a build context in a git repository', { timeout: 120_000 }, () => {
  it.each([
    ['a file: URL', () => `${pathToFileURL(repo).href}#main:tools`],
    ['a path', () => './repo#main:tools'],
    ['http', () => `${httpUrl()}#main:tools`],
  ])('by %s is the commit of the branch, in the trace too', async (_name, url) => {
    const commit = commitTool('one');
    expect(await run(url())).toMatchObject({ exitCode: 0 });
    const { stdout } = await runner.run(['provenance', 'out/out.txt']);
    expect(stdout).toMatch(new RegExp(`context \\S+/repo(\\.git)?#${commit}/tools`));
  });

  it('is built anew when the branch has moved, and not when it has not', async () => {
    commitTool('one');
    const url = `${pathToFileURL(repo).href}#main:tools`;
    await run(url);
    expect((await run(url)).stderr).not.toContain('building: [');
    const second = commitTool('two');
    await run(url);
    const { stdout } = await runner.run(['provenance', 'out/out.txt']);
    expect(stdout).toContain(`#${second}/tools`);
  });

  it('stays at a tag, whatever the branch does', async () => {
    const first = commitTool('one');
    git('tag', '-a', 'v1', '-m', 'one');
    commitTool('two');
    await run('./repo#v1:tools');
    const { stdout } = await runner.run(['provenance', 'out/out.txt']);
    expect(stdout).toContain(`#${first}/tools`);
  });

  it('leaves submodules out', async () => {
    commitTool('one');
    const other = commitTool('two');
    git('update-index', '--add', '--cacheinfo', `160000,${other},tools/sub`);
    writeFileSync(
      join(repo, '.gitmodules'),
      `[submodule "sub"]\npath = tools/sub\nurl = ext::touch ${join(repo, 'ran')}\n`,
    );
    git('add', '.gitmodules');
    git('commit', '--quiet', '-m', 'with a submodule');
    expect(await run('./repo#main:tools')).toMatchObject({ exitCode: 0 });
    expect(existsSync(join(repo, 'ran'))).toBe(false);
  });

  it.each([
    ['./repo#nosuch', /tool\.cwl:4:\d+: .*expected a branch or tag nosuch, got none/],
    ['./nowhere.git', /tool\.cwl:4:\d+: .*git could not read file:\/\/\S+nowhere\.git: .*/],
    ['./repo#main:nowhere', /expected a Dockerfile .* at nowhere\/Dockerfile in the build context, got none/],
    ['ext::sh -c "touch ran"#main', /expected a Directory, or a keep: or git URL/],
  ])('refuses %s', async (context, says) => {
    commitTool('one');
    const ended = await run(context);
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toMatch(says);
    expect(ended.stderr).toContain('hint: ');
    expect(existsSync(join(runner.folder, 'ran'))).toBe(false);
  });
});
