import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRunner, type Runner } from './runner.ts';

const tool = `
cwlVersion: v1.2
class: CommandLineTool
baseCommand: cat
inputs: {file: {type: File, secondaryFiles: [{pattern: .idx, required: false}], inputBinding: {}}}
outputs: {out: stdout}
stdout: copied
`;
const large = Buffer.alloc(3_000_000, 'large ');

let runner: Runner;
let server: Server;
let base: string;
let seen: string[];
let pages: Record<string, (request: IncomingMessage, response: ServerResponse) => void>;

beforeAll(() => {
  runner = createRunner('web');
  runner.write('cat.cwl', tool);
});
afterAll(() => runner.remove());
beforeEach(async () => {
  seen = [];
  pages = {
    '/data.txt': (request, response) => {
      const isSame = request.headers['if-none-match'] === '"v1"';
      response.writeHead(isSame ? 304 : 200, { etag: '"v1"' }).end(isSame ? undefined : 'from the web\n');
    },
    '/large.txt': (_request, response) => response.end(large),
    '/large.txt.idx': (_request, response) => response.end('index'),
    '/cut.txt': (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setTimeout(() => response.destroy(), 20);
    },
    '/cat.cwl': (_request, response) => response.end(tool),
    '/inner.cwl': (_request, response) => response.end(`${tool}hints: {SoftwareRequirement: {$import: other.yml}}\n`),
  };
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const page = pages[request.url ?? ''];
    if (page) page(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const run = (...args: string[]) => runner.run(['--outdir', 'o', ...args]);
const job = (path: string): string => runner.write('job.yml', `file: {class: File, location: "${base}${path}"}\n`);

describe('an input of the web', () => {
  it('is downloaded, once as long as the server says that it is the same', async () => {
    const first = await run('cat.cwl', job('/data.txt'));
    expect(JSON.parse(first.stdout).out).toMatchObject({ size: 13 });
    expect((await run('cat.cwl', '--file', `${base}/data.txt`)).stderr).toMatch('step cat.cwl: reused');
    expect(seen.filter((line) => line === 'GET /data.txt')).toHaveLength(2);
    const kept = await run('--prefer-cached-downloads', 'cat.cwl', '--file', `${base}/data.txt`);
    expect(kept.exitCode).toBe(0);
    expect(seen.filter((line) => line === 'GET /data.txt')).toHaveLength(2);
  });

  it('is streamed, and what lies beside it comes along', async () => {
    const { stdout } = await run('cat.cwl', job('/large.txt'));
    const checksum = `sha1$${createHash('sha1').update(large).digest('hex')}`;
    expect(JSON.parse(stdout).out).toMatchObject({ size: large.length, checksum });
    expect(seen).toEqual(expect.arrayContaining(['HEAD /large.txt.idx', 'GET /large.txt.idx']));
  });

  it('is planned with, without being kept', async () => {
    pages['/planned.txt'] = (_request, response) => response.end('planned');
    const { stdout, exitCode } = await run('--plan', 'cat.cwl', job('/planned.txt'));
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/cat\.cwl +run/) });
    const { items } = await runner.withRecords((cluster) => cluster.list('collections', {}));
    expect(items.filter(({ name }) => name?.includes('planned'))).toEqual([]);
  });

  it.each<[string, RegExp]>([
    ['/none.txt', /^cannot download .*none\.txt: the server answers 404\n {2}hint: /m],
    ['/cut.txt', /^cannot download .*cut\.txt: the connection was cut after 4 of 100 bytes\n {2}hint: run it again/m],
  ])('%s fails with what the server did', async (path, message) => {
    const { exitCode, stderr } = await run('cat.cwl', job(path));
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(message) });
  });

  it('is known by its URL without --varying-url-params', async () => {
    pages['/signed?sig=1'] = pages['/signed?sig=2'] = (_request, response) =>
      response.writeHead(200, { 'cache-control': 'max-age=600' }).end('signed');
    const flags = ['--varying-url-params', 'sig,date', 'cat.cwl', '--file'];
    for (const sig of [1, 2]) expect((await run(...flags, `${base}/signed?sig=${sig}`)).exitCode).toBe(0);
    expect(seen).toContain('GET /signed?sig=1');
    expect(seen).not.toContain('GET /signed?sig=2');
  });

  it('of a server that says nothing fails after --http-timeout', async () => {
    pages['/silent'] = () => {};
    const { exitCode, stderr } = await run('--http-timeout', '0.1', 'cat.cwl', '--file', `${base}/silent`);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/silent: Timeout.* 100ms/),
    });
    server.closeAllConnections();
  });

  it('of a server that is not there fails with its address', async () => {
    const { exitCode, stderr } = await run('cat.cwl', '--file', 'http://127.0.0.1:1/x');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^cannot download http:\/\/127\.0\.0\.1:1\/x: .*ECONNREFUSED/m);
  });
});

describe('what a document may read', () => {
  it('a document of the web that the user names is read, and runs', async () => {
    expect((await run(`${base}/cat.cwl`, '--file', `${base}/data.txt`)).exitCode).toBe(0);
  });

  it('a document does not lead to private addresses, unless that is allowed', async () => {
    runner.write('leads.cwl', tool.replace('inputs:', `doc: {$include: "${base}/cat.cwl"}\ninputs:`));
    const refused = await run('--validate', 'leads.cwl');
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/private address[\s\S]*--allow-private-network/),
    });
    expect(seen).toEqual([]);
    expect(await run('--validate', '--allow-private-network', 'leads.cwl')).toMatchObject({ exitCode: 0 });
    runner.write(
      'input.cwl',
      tool.replace('type: File,', `type: File, default: {class: File, location: "${base}/data.txt"},`),
    );
    expect(await run('input.cwl')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('private address') });
  });

  it('a document of the web names no file of this machine, also not by an expression', async () => {
    const withDefault = tool.replace(
      'type: File,',
      'type: File, default: {class: File, location: "file:///etc/hostname"},',
    );
    pages['/default.cwl'] = (_request, response) => response.end(withDefault);
    expect(await run(`${base}/default.cwl`)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/default\.cwl:5:\d+: error: expected a file beside .*, got the local file "file:/),
    });
    pages['/computed.cwl'] = (_request, response) =>
      response.end(`
cwlVersion: v1.2
class: Workflow
requirements: {StepInputExpressionRequirement: {}, InlineJavascriptRequirement: {}}
inputs: []
outputs: {out: {type: File, outputSource: s/out}}
steps: {s: {run: cat.cwl, in: {file: {valueFrom: '$({class: "File", location: "file:///etc/hostname"})'}}, out: [out]}}
`);
    expect(await run(`${base}/computed.cwl`)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/file\.valueFrom: expected a File that the step was given, got file:\/\/\/etc/),
    });
  });

  it('a document loads an image that lies around it, and elsewhere only what is allowed', async () => {
    mkdirSync(join(runner.folder, 'inner'), { recursive: true });
    const image = runner.write('image.tar', 'no image');
    runner.write('inner/loads.cwl', `${tool}requirements: {DockerRequirement: {dockerLoad: ../image.tar}}\n`);
    const inputs = ['--file', runner.write('inner/data.txt', 'text')];
    const inside = { spawn: { cwd: join(runner.folder, 'inner') } };
    const isRead = expect.stringMatching(/dockerLoad: expected an image archive, got .*image\.tar/);
    expect(await runner.run(['inner/loads.cwl', ...inputs])).toMatchObject({ exitCode: 1, stderr: isRead });
    const refused = await runner.run(['loads.cwl', ...inputs], inside);
    expect(refused.stderr).toMatch(/dockerLoad: reading .*image\.tar is not allowed: it is outside/);
    expect(refused.stderr).toMatch(/hint: allow it with --allow-read FOLDER/);
    const allowed = await runner.run(['--allow-read', join(image, '..'), 'loads.cwl', ...inputs], inside);
    expect(allowed).toMatchObject({ exitCode: 1, stderr: isRead });
  });

  it('a document reads what lies around it, and elsewhere only what is allowed', async () => {
    mkdirSync(join(runner.folder, 'inner'), { recursive: true });
    mkdirSync(join(runner.folder, 'outer'), { recursive: true });
    const elsewhere = runner.write('outer/doc.txt', 'text');
    runner.write('inner/tool.cwl', tool.replace('inputs:', 'doc: {$include: ../outer/doc.txt}\ninputs:'));
    const inside = { spawn: { cwd: join(runner.folder, 'inner') } };
    expect(await runner.run(['--validate', 'inner/tool.cwl'])).toMatchObject({ exitCode: 0 });
    const refused = await runner.run(['--validate', 'tool.cwl'], inside);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/not allowed: it is outside/) });
    const allowed = ['--validate', '--allow-read', join(elsewhere, '..'), 'tool.cwl'];
    expect(await runner.run(allowed, inside)).toMatchObject({ exitCode: 0 });
  });

  it('a repository without git is known by its licence; a home folder is none', async () => {
    const names = ['unpacked/tools/doc.txt', 'unpacked/workflows/tool.cwl', 'unpacked/LICENSE'];
    for (const name of names) mkdirSync(join(runner.folder, name, '..'), { recursive: true });
    for (const name of names) runner.write(name, tool.replace('inputs:', 'doc: {$include: ../tools/doc.txt}\ninputs:'));
    const cwd = join(runner.folder, 'unpacked/workflows');
    expect(await runner.run(['--validate', 'tool.cwl'], { spawn: { cwd } })).toMatchObject({ exitCode: 0 });
    const env = { HOME: join(runner.folder, 'unpacked') };
    const refused = await runner.run(['--validate', 'tool.cwl'], { env, spawn: { cwd } });
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/not allowed: it is outside/) });
  });
});
