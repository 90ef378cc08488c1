import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer } from '../fakes/http-server.ts';
import { type StockArvados, startStockArvados } from '../fakes/stock-arvados.ts';
import { createRunner, type Runner, type Served, serve, startToolsRegistry } from './runner.ts';

let cluster: Runner;
let client: Runner;
let served: Served;
let stock: StockArvados;
let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
beforeAll(async () => {
  [cluster, client] = [createRunner('stock'), createRunner('stock-client')];
  served = await serve(cluster);
  stock = await startStockArvados(served.env.ARVADOS_API_HOST);
  registry = await startToolsRegistry();
  client.write('pulled.cwl', tool(`{DockerRequirement: {dockerPull: "${registry.tools}"}}`, 'echo pulled'));
  client.write('Dockerfile', `FROM ${registry.tools}\nRUN echo from the build > /made\n`);
  client.write(
    'built.cwl',
    tool(
      '{DockerRequirement: {dockerFile: {$include: Dockerfile}, dockerImageId: made}}',
      'read made < /made; echo "$made"',
    ),
  );
  client.write('host.cwl', tool('{}', 'echo x'));
}, 60_000);
afterAll(async () => {
  await registry.close();
  await stock.close();
  await served.stop();
  await Promise.all([cluster.remove(), client.remove()]);
});

const tool = (requirements: string, script: string): string => `cwlVersion: v1.2
class: CommandLineTool
requirements: ${requirements}
inputs: []
outputs: {o: stdout}
stdout: o.txt
baseCommand: [sh, -c, '${script}']
`;

const run = (...args: string[]) => client.run(args, { env: { ...served.env, ARVADOS_API_HOST: stock.url } });
const outputIn = (folder: string) => readFileSync(join(client.folder, folder, 'o.txt'), 'utf8');

describe('a cluster without builtin requests', { timeout: 120_000 }, () => {
  it('gets its images from this machine, once', async () => {
    const plan = await run('--plan', 'pulled.cwl');
    expect(plan.stdout).toMatch(/tools:1 +pull/);
    const first = await run('--outdir', 'pulled', 'pulled.cwl');
    expect([first.exitCode, first.stderr]).toEqual([0, expect.stringMatching(/done +image \S+tools:1: ready/)]);
    expect(outputIn('pulled')).toBe('pulled\n');
    const again = await run('--outdir', 'pulled', '--docker', '--parallel-max', '2', 'pulled.cwl');
    expect(again.stderr).not.toContain('pulling');
    expect(again.stderr).toContain('--executor, --parallel-max: no effect, the cluster runs the containers');
    expect(first.stderr).not.toContain('no effect');
  });

  it('has the images of Dockerfiles built here, once for equal ones', async () => {
    const first = await run('--outdir', 'built', 'built.cwl');
    expect([first.exitCode, first.stderr]).toEqual([0, expect.stringMatching(/done +image made: ready/)]);
    expect(outputIn('built')).toBe('from the build\n');
    expect((await run('--plan', 'built.cwl')).stdout).toMatch(/^built\.cwl +reuse/m);
    client.write('Dockerfile', `FROM ${registry.tools}\nRUN echo another > /made\n`);
    const rerun = await run('rerun', 'last', '--outdir', 'built');
    expect(rerun.stderr).toMatch(/^built\.cwl +run +image/m);
    expect(outputIn('built')).toBe('another\n');
  });

  it('has what ADD fetched built in here too, again once that changed', async () => {
    let made = 'fetched';
    const web = await startServer((_request, response) => response.writeHead(200, { etag: made }).end(`${made}\n`));
    const dockerFile = JSON.stringify(`FROM ${registry.tools}\nADD --chmod=644 ${web.url}/f /made`);
    client.write(
      'added.cwl',
      tool(`{DockerRequirement: {dockerFile: ${dockerFile}}}`, 'read made < /made; echo "$made"'),
    );
    const runIt = () => run('--allow-private-network', '--outdir', 'added', 'added.cwl');
    expect(await runIt()).toMatchObject({ exitCode: 0 });
    expect(outputIn('added')).toBe('fetched\n');
    expect((await runIt()).stderr).toContain('built before');
    made = 'changed';
    await runIt();
    expect(outputIn('added')).toBe('changed\n');
    expect((await run('provenance', 'added/o.txt')).stdout).toContain(`added ${web.url}/f, sha256 `);
  });

  it('still knows where a result comes from', async () => {
    const { stdout } = await run('provenance', 'built/o.txt');
    expect(stdout).toMatch(/made by build \S+ "build made", complete[\s\S]*RUN echo another > \/made/);
    expect(stdout).toMatch(/made by pull \S+tools:1 by \S+, complete, exit code 0/);
  });

  it('shows the log of what ran here', async () => {
    const { stdout } = await run('provenance', 'built/o.txt', '--json');
    const build = (JSON.parse(stdout) as { nodes: { kind: string; uuid?: string; id: string }[] }).nodes.find(
      ({ kind }) => kind === 'build',
    );
    expect((await run('logs', build?.id ?? '')).stdout).toContain('Complete: exit code 0');
  });

  it('takes inputs, files that the document makes, and what steps pass on', async () => {
    client.write('in.txt', 'from the client\n');
    client.write(
      'files.cwl',
      `cwlVersion: v1.2
class: Workflow
requirements:
  DockerRequirement: {dockerPull: "${registry.tools}"}
  StepInputExpressionRequirement: {}
  InlineJavascriptRequirement: {}
inputs: {file: File}
outputs: {all: {type: Directory, outputSource: gather/d}}
steps:
  make:
    run:
      class: CommandLineTool
      requirements: {InitialWorkDirRequirement: {listing: [{entryname: made.txt, entry: "made for $(inputs.f.basename)\\n"}, $(inputs.f)]}}
      baseCommand: [sh, -c, 'read a < made.txt; read b < in.txt; echo "$a, $b" > both.txt']
      inputs: {f: File}
      outputs: {made: {type: File, outputBinding: {glob: made.txt}}, both: {type: File, outputBinding: {glob: both.txt}}}
    in: {f: file}
    out: [made, both]
  gather:
    run:
      class: ExpressionTool
      inputs: {files: {type: "File[]"}}
      outputs: {d: Directory}
      expression: '\${ return {d: {class: "Directory", basename: "all", listing: inputs.files.concat([{class: "File", basename: "literal.txt", contents: "literal"}])}} }'
    in: {files: {source: [make/made, make/both]}}
    out: [d]
`,
    );
    const { exitCode, stderr } = await run('--outdir', 'files', 'files.cwl', '--file', 'in.txt');
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('done   step make')]);
    const read = (name: string) => readFileSync(join(client.folder, 'files/all', name), 'utf8');
    expect([read('made.txt'), read('both.txt'), read('literal.txt')]).toEqual([
      'made for in.txt\n',
      'made for in.txt, from the client\n',
      'literal',
    ]);
  });

  it('runs no tool outside a container, and says what to do', async () => {
    const { exitCode, stderr } = await run('host.cwl');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('this cluster runs nothing outside a container, and the tool names no image');
    expect(stderr).toContain('--default-container');
    const given = await run('--default-container', registry.tools, '--outdir', 'host', 'host.cwl');
    expect([given.exitCode, outputIn('host')]).toEqual([0, 'x\n']);
  });
});
