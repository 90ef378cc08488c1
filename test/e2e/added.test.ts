import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRunner, type Runner, serve, startToolsRegistry } from './runner.ts';

let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
let runner: Runner;
let server: Server;
let base = '';
let seen: string[];
/** What the server has at `/tool-1.0.sh`, and its tag. */
let script = '';
let tag = '';
let answerOther: ((response: ServerResponse) => void) | undefined;

beforeAll(async () => {
  registry = await startToolsRegistry();
});
afterAll(() => registry.close());
beforeEach(async () => {
  runner = createRunner('added');
  seen = [];
  answerOther = undefined;
  [script, tag] = ['#!/bin/sh\necho one\n', '"1"'];
  server = createServer((request, response) => {
    const path = request.url ?? '';
    seen.push(`${request.method} ${path}`);
    if (path === '/tool-1.0.sh') {
      const isSame = request.headers['if-none-match'] === tag;
      const headers = { etag: tag, 'last-modified': 'Tue, 02 Jan 2001 03:04:05 GMT' };
      return void response.writeHead(isSame ? 304 : 200, headers).end(isSame ? undefined : script);
    }
    if (answerOther) return answerOther(response);
    // The "dumb" protocol of git: nothing but files.
    const file = join(runner.folder, 'repo/.git', path.split('?')[0]?.replace('/repo.git', '') ?? '');
    if (!path.startsWith('/repo.git/') || !existsSync(file)) return void response.writeHead(404).end();
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await runner.remove();
});

const document = (lines: string, command: string): string => `cwlVersion: v1.2
class: CommandLineTool
requirements:
  DockerRequirement:
    dockerFile: |
      FROM ${registry.tools}
${lines.replace(/^/gm, '      ')}
baseCommand: [sh, -c, ${JSON.stringify(command)}]
inputs: {}
stdout: out.txt
outputs: { out: stdout }
`;

const addTool = `ARG V=1.0\nADD --chmod=755 URL/tool-$V.sh /bin/tool`;

async function run(lines: string, command: string, ...flags: string[]) {
  runner.write('tool.cwl', document(lines.replaceAll('URL', base), command));
  return runner.run(['--allow-private-network', ...flags, '--outdir', 'out', 'tool.cwl']);
}

async function output(): Promise<string> {
  return execFileSync('cat', [join(runner.folder, 'out/out.txt')], { encoding: 'utf8' });
}

describe('a tool whose Dockerfile adds a file of the web', { timeout: 120_000 }, () => {
  it('runs with it, is not built again while it stays, and is once it changed', async () => {
    expect(await run(addTool, 'tool')).toMatchObject({ exitCode: 0 });
    expect(await output()).toBe('one\n');
    expect((await run(addTool, 'tool')).stderr).toMatch(/: ready: built before[\s\S]*step tool\.cwl: reused/);
    [script, tag] = ['#!/bin/sh\necho two\n', '"2"'];
    const planned = await run(addTool, 'tool', '--plan');
    expect(planned.stdout).toMatch(/build .*no equal build has been done; it adds http:\S+tool-1\.0\.sh/);
    expect(await run(addTool, 'tool')).toMatchObject({ exitCode: 0 });
    expect(await output()).toBe('two\n');
  });

  it('shows in its provenance where that is from, and finds results by it', async () => {
    await run(addTool, 'tool');
    const { stdout } = await runner.run(['provenance', 'out/out.txt']);
    const sha256 = execFileSync('sha256sum', { input: script, encoding: 'utf8' }).split(' ')[0];
    expect(stdout).toContain(
      `added ${base}/tool-1.0.sh, sha256 ${sha256}, modified Tue, 02 Jan 2001 03:04:05 GMT, ETag "1", as of `,
    );
    runner.write('a copy', script);
    const affected = await runner.run(['affected', '--input', 'a copy']);
    expect(affected).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('tool.cwl') });
    expect(await runner.run(['affected', '--input', `${base}/tool-1.0.sh`])).toEqual(affected);
    expect(await runner.run(['affected', '--input', `${base}/other`])).toMatchObject({ exitCode: 1 });
  });

  it('is fetched by who asks a cluster elsewhere', async () => {
    const cluster = createRunner('added-cluster');
    const served = await serve(cluster);
    try {
      runner.write('tool.cwl', document(addTool.replace('URL', base), 'tool'));
      const flags = ['--allow-private-network', '--outdir', 'out', 'tool.cwl'];
      expect(await runner.run(flags, { env: served.env })).toMatchObject({ exitCode: 0 });
      expect(await output()).toBe('one\n');
      expect((await runner.run(flags, { env: served.env })).stderr).toContain('built before');
      expect(seen).toEqual(['GET /tool-1.0.sh', 'GET /tool-1.0.sh']);
    } finally {
      await served.stop();
      await cluster.remove();
    }
  });

  it('lets a transfer go when it is interrupted', async () => {
    let begun: () => void = () => {};
    const beginning = new Promise<void>((resolve) => {
      begun = resolve;
    });
    answerOther = (response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('x');
      begun();
    };
    runner.write('tool.cwl', document(`ADD ${base}/endless /x`, 'true'));
    const started = runner.start(['--allow-private-network', 'tool.cwl']);
    await beginning;
    started.child.kill('SIGINT');
    expect(await started.ended).toMatchObject({ exitCode: 130 });
  });

  it('needs no server where a checksum names what Keep has, or that is asked for', async () => {
    const sha256 = execFileSync('sha256sum', { input: script, encoding: 'utf8' }).split(' ')[0];
    const pinned = `ADD --chmod=755 --checksum=sha256:${sha256} URL/tool-1.0.sh /bin/tool`;
    expect(await run(pinned, 'tool')).toMatchObject({ exitCode: 0 });
    await new Promise((resolve) => server.close(resolve));
    expect(await run(pinned, 'tool && echo again')).toMatchObject({ exitCode: 0 });
    expect(await run(addTool, 'tool', '--prefer-cached-downloads')).toMatchObject({ exitCode: 0 });
    expect(seen).toHaveLength(1);
  });

  it('fails with the line where there is none', async () => {
    const { exitCode, stderr } = await run('ENV A=1\nADD URL/none.sh?token=abc /x', 'true');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/Dockerfile of tool\.cwl:3:1: ADD: cannot download \S+none\.sh\?token=\*\*\*: .*404/);
    expect(stderr).not.toContain('abc');
  });
});

describe('a tool whose Dockerfile adds a repository', { timeout: 120_000 }, () => {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', join(runner.folder, 'repo'), '-c', 'user.name=n', '-c', 'user.email=e@x', ...args], {
      encoding: 'utf8',
    }).trim();

  function commit(says: string): string {
    mkdirSync(join(runner.folder, 'repo/sub'), { recursive: true });
    if (!existsSync(join(runner.folder, 'repo/.git'))) git('init', '--quiet', '--initial-branch=main');
    writeFileSync(join(runner.folder, 'repo/sub/file'), says);
    git('add', '.');
    git('commit', '--quiet', '-m', says);
    git('update-server-info');
    return git('rev-parse', 'HEAD');
  }

  it('has the commit that the branch named, and is built again when that moved', async () => {
    const add = 'ADD URL/repo.git#main:sub /sub';
    const first = commit('one');
    expect(await run(add, 'cat /sub/file')).toMatchObject({ exitCode: 0 });
    expect(await output()).toBe('one');
    expect((await runner.run(['provenance', 'out/out.txt'])).stdout).toContain(`#main:sub, commit ${first}`);
    expect((await run(add, 'cat /sub/file')).stderr).toContain('built before');
    commit('two');
    await run(add, 'cat /sub/file');
    expect(await output()).toBe('two');
    const found = await runner.run(['affected', '--commit', first]);
    expect(found).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('tool.cwl') });
  });

  it('keeps .git where that is said, equal for equal commits', async () => {
    const head = commit('one');
    const add = 'ADD --keep-git-dir=true URL/repo.git /r';
    const list = 'cat /r/.git/HEAD && ls -R /r/.git';
    expect(await run(add, list)).toMatchObject({ exitCode: 0 });
    expect(await output()).toMatch(new RegExp(`^${head}\n[\\s\\S]*objects/..:`));
    await run(add, list, '--disable-reuse');
    const images = await runner.withRecords(async (cluster) => {
      const { items } = await cluster.list('containers', { filters: [['command', '=', ['docker', 'build']]] });
      return items.map(({ output: image }) => image);
    });
    expect(images).toHaveLength(2);
    expect(images[1]).toBe(images[0]);
  });
});
