import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRunner, type Runner, type Served, serve, startToolsRegistry, takeImageOut } from './runner.ts';

/** Arvados' own clients of PyPI, where `.ci/run` or somebody else has put them. */
const installed = join(import.meta.dirname, '../../.cache/arvados/bin');
const has = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
const clients = existsSync(join(installed, 'arvados-cwl-runner')) ? `${installed}:` : '';
const isThere = (clients !== '' || has('arvados-cwl-runner')) && spawnSync('openssl', ['version']).status === 0;
const run = promisify(execFile);

const tool = (requirement: string) => `
cwlVersion: v1.2
class: CommandLineTool
requirements: { DockerRequirement: { ${requirement} }, ResourceRequirement: { ramMin: 64 } }
baseCommand: [cat, /made]
inputs: { file: { type: File, inputBinding: {} } }
stdout: $(inputs.file.nameroot).out
outputs: { out: stdout }
`;

const workflow = `
cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {} }
inputs: { files: "File[]" }
outputs: { all: { type: "File[]", outputSource: each/out } }
steps:
  each: { scatter: file, in: { file: files }, out: [out], run: pull.cwl }
`;

const why = isThere ? '' : ' (skipped: arvados-cwl-runner of PyPI or openssl is not here)';

describe.skipIf(!isThere)(
  `arvados-cwl-runner, with the embedded cluster for its cluster${why}`,
  { timeout: 180_000 },
  () => {
    let runner: Runner;
    let served: Served;

    beforeAll(async () => {
      runner = createRunner('arvados-clients');
      const registry = await startToolsRegistry();
      runner.write('build.cwl', tool(`dockerFile: "FROM ${registry.tools}\\nRUN echo made by a build > /made\\n"`));
      runner.write('pull.cwl', tool('dockerPull: "tools:built"'));
      runner.write('workflow.cwl', workflow);
      for (const name of ['a', 'b', 'own']) runner.write(`${name}.txt`, `${name}\n`);
      const files = ['a', 'b'].map((name) => ({ class: 'File', path: `${name}.txt` }));
      runner.write('inputs.json', JSON.stringify({ files }));
      const built = await runner.run(['build.cwl', '--file', 'own.txt']);
      await registry.close();
      expect(built).toMatchObject({ exitCode: 0 });
      const { path } = await takeImageOut(runner, 'build');
      expect(await runner.run(['image', 'load', '--name', 'tools:built', path])).toMatchObject({ exitCode: 0 });
      const request = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
      const pem = ['-keyout', 'key.pem', '-out', 'certificate.pem'];
      execFileSync('openssl', ['req', ...request, ...pem], { cwd: runner.folder, stdio: 'ignore' });
      const [certificate, key] = ['certificate.pem', 'key.pem'].map((name) => join(runner.folder, name));
      served = await serve(runner, '--certificate', `${certificate}`, '--key', `${key}`);
    }, 180_000);
    afterAll(async () => {
      await served.stop();
      await runner.remove();
    });

    /** One of the programs, with the cluster that `served` prints. */
    const client = (...[program = '', ...args]: string[]) =>
      run(program, args, {
        cwd: runner.folder,
        env: {
          ...served.env,
          PATH: `${clients}${process.env.PATH}`,
          HOME: runner.folder,
          ARVADOS_API_HOST_INSECURE: '1',
        },
      });
    const countContainers = () =>
      runner.withRecords(async (cluster) => (await cluster.list('containers', { limit: 0 })).itemsAvailable);

    it('uploads, runs with an image that was built here, reuses, and reads what came of it', async () => {
      const before = await countContainers();
      const outputs = JSON.parse((await client('arvados-cwl-runner', '--local', 'workflow.cwl', 'inputs.json')).stdout);
      expect(outputs.all.map(({ basename }: { basename: string }) => basename)).toEqual(['a.out', 'b.out']);
      expect(await countContainers()).toBe(before + 2);
      const location = String(outputs.all[1].location).slice('keep:'.length);
      expect((await client('arv-get', '--no-progress', location, '-')).stdout).toBe('made by a build\nb\n');
      const again = await client('arvados-cwl-runner', '--local', 'workflow.cwl', 'inputs.json');
      expect(JSON.parse(again.stdout)).toEqual(outputs);
      expect(await countContainers()).toBe(before + 2);
    });

    it('stores what a run here takes as its input', async () => {
      const { stdout } = await client('arv-put', '--no-progress', '--portable-data-hash', 'own.txt');
      const file = { class: 'File', location: `keep:${stdout.trim()}/own.txt` };
      runner.write('kept.json', JSON.stringify({ file }));
      const { exitCode, stdout: text } = await runner.run(['--outdir', 'out', 'pull.cwl', 'kept.json']);
      expect(exitCode).toBe(0);
      expect(readFileSync(JSON.parse(text).out.path, 'utf8')).toBe('made by a build\nown\n');
    });
  },
);

describe('a certificate of serve', { timeout: 60_000 }, () => {
  let runner: Runner;
  beforeAll(() => {
    runner = createRunner('certificate');
    runner.write('text.pem', 'no certificate\n');
  });
  afterAll(() => runner.remove());

  it.each([
    [['--key', 'text.pem'], 2, 'serve: expected --certificate and --key together, got one of them'],
    [['--certificate', 'none.pem', '--key', 'text.pem'], 1, 'serve: cannot read none.pem: '],
    [
      ['--certificate', 'text.pem', '--key', 'text.pem'],
      1,
      'serve: text.pem and text.pem are no certificate and its key',
    ],
  ])('%j', async (args, exitCode, message) => {
    const ended = await runner.run(['serve', ...args]);
    expect(ended).toMatchObject({ exitCode, stdout: '' });
    expect(ended.stderr).toContain(message);
  });
});
