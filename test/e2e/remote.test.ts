import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ArvadosCluster, openArvados } from '../../src/arvados/open.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { containerOf, hostRequest } from '../fakes/cluster-work.ts';
import { createRunner, type Runner, type Served, serve, startToolsRegistry } from './runner.ts';

/** Two steps without an image, one after the other. */
const workflow = `cwlVersion: v1.2
class: Workflow
inputs: {file: File, words: string}
outputs: {counted: {type: File, outputSource: count/o}}
steps:
  join:
    run:
      class: CommandLineTool
      baseCommand: [cat]
      requirements: {InitialWorkDirRequirement: {listing: [{entryname: words.txt, entry: $(inputs.words)}]}}
      arguments: [words.txt]
      inputs: {f: {type: File, inputBinding: {position: 1}}, words: string}
      outputs: {o: stdout}
      stdout: joined.txt
    in: {f: file, words: words}
    out: [o]
  count:
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'echo counting >&2; wc -c < "$0"']
      inputs: {f: {type: File, inputBinding: {}}}
      outputs: {o: stdout}
      stdout: count.txt
    in: {f: join/o}
    out: [o]
`;

const open = ({ env }: Served): Promise<ArvadosCluster> =>
  openArvados(
    { url: env.ARVADOS_API_HOST, token: env.ARVADOS_API_TOKEN, insecure: false, keepServices: [] },
    { logger: silentLogger },
  );

let cluster: Runner;
let client: Runner;
let served: Served;
beforeAll(async () => {
  [cluster, client] = [createRunner('cluster'), createRunner('client')];
  served = await serve(cluster);
  client.write('workflow.cwl', workflow);
  client.write('input.txt', 'bytes of the client\n');
  client.write('inputs.yml', 'file: {class: File, location: input.txt}\nwords: "first line\\n"\n');
}, 60_000);
afterAll(async () => {
  expect(await served.stop()).toBe(0);
  await Promise.all([cluster.remove(), client.remove()]);
});

const run = (...args: string[]) => client.run(args, { env: served.env });
const runWorkflow = (...flags: string[]) => run(...flags, '--outdir', 'out', 'workflow.cwl', 'inputs.yml');

describe('a run on a cluster elsewhere', { timeout: 120_000 }, () => {
  it('sends the inputs, runs there and fetches the outputs', async () => {
    const { exitCode, stdout, stderr } = await runWorkflow();
    expect(stderr).toContain('done   step count');
    expect(exitCode).toBe(0);
    const { counted } = JSON.parse(stdout) as { counted: { path: string } };
    expect(readFileSync(counted.path, 'utf8').trim()).toBe('31');
    expect(existsSync(join(client.home, 'cluster.sqlite'))).toBe(false);
    await cluster.withRecords(async (api) => {
      const { items } = await api.list('container_requests', {
        filters: [['state', '=', 'Final']],
        order: ['created_at'],
      });
      expect(items.map(({ name }) => name)).toEqual(['join', 'count']);
    });
  });

  it('says what a further one would do, and does it', async () => {
    const { stdout } = await run('--plan', 'workflow.cwl', 'inputs.yml');
    expect(stdout).toMatch(/^join +reuse +.*\ncount +reuse +.*\n\n2 reuse\n$/m);
    const again = await run('rerun', 'last', '--outdir', 'out2');
    expect(again.stderr).toMatch(/join +reused +nothing that it depends on changed\ncount +reused/);
    const changed = await run('--plan', 'workflow.cwl', '--file', 'input.txt', '--words', 'other');
    expect(changed.stdout).toMatch(/^join +run +input changed: \S+\ncount +wait/m);
  });

  it('shows its runs, its logs and where a result comes from', async () => {
    const runs = await run('runs');
    expect(runs.stdout).toMatch(/^(\S+-xvhdp-\S+ .* success +workflow\.cwl\n){2}$/);
    const trace = await run('provenance', 'out/count.txt');
    expect(trace.stdout).toContain('made by request');
    expect(trace.stdout).toContain('command cat words.txt');
    const request = /made by request (\S+) "count"/.exec(trace.stdout)?.[1] ?? '';
    expect((await run('logs', request, 'stderr.txt')).stdout).toMatch(/^\S+Z counting\n$/);
    expect((await run('logs', '-f', request)).stdout).toContain('Complete: exit code 0');
  });

  it('says why a step failed there', async () => {
    const tool = 'cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\noutputs: []\n';
    client.write('fails.cwl', `${tool}baseCommand: [sh, -c, "echo what went wrong >&2; exit 3"]\n`);
    const { exitCode, stderr } = await run('fails.cwl');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/step fails\.cwl failed: exit code 3\n.*\n.*\n {2}\| what went wrong\n/);
  });

  it('is taken back when it is interrupted', async () => {
    const tool = 'cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\noutputs: []\n';
    client.write('waits.cwl', `${tool}baseCommand: [sleep, "600"]\n`);
    const { child, ended } = client.start(['waits.cwl'], { env: served.env });
    const api = await open(served);
    const states = async () => {
      const { items } = await api.list('containers', { limit: 1000 });
      return items.filter(({ command }) => command.join(' ') === 'sleep 600').map(({ state }) => state);
    };
    await expect.poll(states, { timeout: 60_000 }).toEqual(['Running']);
    child.kill('SIGINT');
    expect((await ended).exitCode).toBe(130);
    await expect.poll(states, { timeout: 60_000 }).toEqual(['Cancelled']);
    api.close();
  });

  it('pulls the image that a step names, as a request of its own', async () => {
    const registry = await startToolsRegistry();
    client.write(
      'contained.cwl',
      `cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\noutputs: {o: stdout}\nstdout: o.txt\nbaseCommand: [sh, -c, echo inside]\nrequirements: {DockerRequirement: {dockerPull: "${registry.tools}"}}\n`,
    );
    const { exitCode, stderr } = await run('--outdir', 'out3', 'contained.cwl');
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('done   step contained.cwl')]);
    expect(readFileSync(join(client.folder, 'out3/o.txt'), 'utf8')).toBe('inside\n');
    await registry.close();
  });

  it('gives a command the numbers that the inputs say, as a run here does', async () => {
    const tool = 'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\noutputs: {o: stdout}\n';
    const argument = (type: string, position: number) => `{type: ${type}, inputBinding: {position: ${position}}}`;
    client.write('numbers.cwl', `${tool}inputs: {x: ${argument('double', 1)}, n: ${argument('long', 2)}}\n`);
    client.write('numbers.yml', 'x: 1.0\nn: 1152921504606846977\n');
    const printed = async (args: readonly string[], options = {}) => {
      const { stdout, stderr } = await client.run([...args, '--outdir', 'numbers'], options);
      const { o } = JSON.parse(stdout) as { o: { path: string } };
      return { text: readFileSync(o.path, 'utf8'), stderr };
    };
    const text = '1.0 1152921504606846977\n';
    const here = { HALLMARK_HOME: join(client.folder, 'here') };
    expect(await printed(['numbers.cwl', 'numbers.yml'], { env: here })).toMatchObject({ text });
    expect(await printed(['numbers.cwl', 'numbers.yml'], { env: served.env })).toMatchObject({ text });
    const again = await printed(['rerun', 'last'], { env: served.env });
    expect(again).toMatchObject({ text, stderr: expect.stringMatching(/reused +nothing/) as string });
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a wrong token',
      { ARVADOS_API_TOKEN: 'wrong' },
      /^token refused: not logged in: .*\n {2}hint: check ARVADOS_API_TOKEN/,
    ],
    ['no token', { ARVADOS_API_TOKEN: '' }, /^ARVADOS_API_HOST names .*, but ARVADOS_API_TOKEN is not set\n {2}hint: /],
    [
      'no such host',
      { ARVADOS_API_HOST: 'localhost:1' },
      /^cannot reach https:\/\/localhost:1: .*\n {2}hint: check ARVADOS_API_HOST/,
    ],
  ])('does not begin with %s', async (_what, env, message) => {
    const { exitCode, stderr } = await client.run(['workflow.cwl', 'inputs.yml'], { env: { ...served.env, ...env } });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('crunch-run for a cluster elsewhere', { timeout: 120_000 }, () => {
  let queue: Served;
  let api: ArvadosCluster;
  let home: Runner;
  beforeAll(async () => {
    home = createRunner('queue');
    queue = await serve(home, '--parallel-max=0');
    api = await open(queue);
  }, 60_000);
  afterAll(async () => {
    api.close();
    await queue.stop();
    await home.remove();
  });

  const out = '/hallmark.host/out';
  const submit = async (script: string, more: object = {}) => {
    const place = { cwd: out, output_path: out, mounts: { [out]: { kind: 'tmp', capacity: 1 << 20 } } } as const;
    const command = ['sh', '-c', script];
    const request = { command, use_existing: false, ...place, ...more };
    return containerOf(await api.create('container_requests', hostRequest(request)));
  };
  const crunchRun = (uuid: string) => client.run(['crunch-run', uuid], { env: queue.env });

  it('locks the container, runs it here and saves its output and log there', async () => {
    const uuid = await submit('echo made > f; env > e');
    expect(await crunchRun(uuid)).toEqual({ exitCode: 0, stdout: `${uuid} Complete exit code 0\n`, stderr: '' });
    const { output, log, ...container } = await api.get('containers', uuid);
    expect(container).toMatchObject({ state: 'Complete', exit_code: 0 });
    const { items } = await api.list('collections', {
      filters: [['portable_data_hash', 'in', [output, log]]],
      select: ['uuid', 'manifest_text'],
    });
    expect(items.map(({ manifest_text }) => manifest_text).join('')).toMatch(/:f\n(.*:stderr.txt)?/s);
    expect(readdirSync(join(home.home, 'keep')).length).toBeGreaterThan(1);
  });

  it('runs it once, however many ask', async () => {
    const uuid = await submit('sleep 1');
    const ended = await Promise.all([1, 2, 3].map(() => crunchRun(uuid)));
    expect(ended.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1, 1]);
    expect(await api.get('containers', uuid)).toMatchObject({ lock_count: 1, state: 'Complete' });
  });

  it('gives the container its secrets, and the cluster only where it may use it', async () => {
    const secret = { secret_mounts: { [`${out}/secret`]: { kind: 'text', content: 'hush' } } };
    const uuid = await submit('test "$(cat secret)" = hush && test -z "$ARVADOS_API_TOKEN"', secret);
    expect((await crunchRun(uuid)).stdout).toBe(`${uuid} Complete exit code 0\n`);
    const constraints = { runtime_constraints: { API: true, ram: 1 << 20, vcpus: 1 } };
    const other = await submit(
      'test "${ARVADOS_API_TOKEN#v2/}" != "$ARVADOS_API_TOKEN" -a -n "$ARVADOS_API_HOST"',
      constraints,
    );
    expect((await crunchRun(other)).stdout).toBe(`${other} Complete exit code 0\n`);
  });

  it('stops it when nobody wants it any more', async () => {
    const uuid = await submit('sleep 600');
    const ended = crunchRun(uuid);
    await expect.poll(async () => (await api.get('containers', uuid)).state, { timeout: 60_000 }).toBe('Running');
    const { items } = await api.list('container_requests', { filters: [['container_uuid', '=', uuid]] });
    await api.update('container_requests', items[0]?.uuid as never, { priority: 0 });
    expect((await ended).stdout).toMatch(new RegExp(`^${uuid} Cancelled `));
  });
});

describe('serve', { timeout: 60_000 }, () => {
  it.each([['--port=x'], ['--port=70000'], ['8000']])('takes a port, not %s', async (word) => {
    const { exitCode, stderr } = await client.run(['serve', word]);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^serve: expected a port, got \w+\n {2}hint: /)]);
  });

  it('says that the port is taken', async () => {
    const { port } = new URL(served.env.ARVADOS_API_HOST);
    const { exitCode, stderr } = await client.run(['serve', '--port', port]);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(`^serve: cannot take port ${port}: .*EADDRINUSE`)]);
  });
});

it('loads nothing of it where no cluster is named', { timeout: 60_000 }, async () => {
  const hooks = `import { registerHooks } from 'node:module';
registerHooks({ load: (url, context, next) => {
  if (url.includes('/src/arvados/')) process.stderr.write(url + String.fromCharCode(10));
  return next(url, context);
} });`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hooks)}` };
  expect(await client.run(['runs'], { env })).toEqual({ exitCode: 0, stdout: '', stderr: 'there is no run yet\n' });
  expect((await client.run(['runs'], { env: { ...env, ...served.env } })).stderr).toContain('/src/arvados/open.ts');
});
