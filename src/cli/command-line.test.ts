import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandHelp } from './arguments/command-help.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-command-'));
  const tool = { cwlVersion: 'v1.2', class: 'CommandLineTool', baseCommand: 'true', inputs: { n: 'int' }, outputs: {} };
  writeFileSync(join(folder, 'tool.cwl'), JSON.stringify(tool));
  mkdirSync(join(folder, 'bad'));
  writeFileSync(join(folder, 'bad/a.cwl'), JSON.stringify({ ...tool, inptus: {}, odd: 1 }));
  writeFileSync(join(folder, 'bad/b.cwl'), 'cwlVersion: v1.2\nclass: [\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The real command in a process of its own. */
function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), ...args];
  const options = { cwd: folder, env: { ...process.env, HALLMARK_HOME: join(folder, 'home') }, timeout: 50_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, command, options, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });
}

describe('the command', () => {
  it.each<[string[], number, RegExp, RegExp]>([
    [['--version'], 0, /^cwl-runner \d+\.\d+\.\d+\n$/, /^$/],
    [['--help'], 0, /cwl-runner \[flags\] DOCUMENT/, /^$/],
    [['--print-supported-versions'], 0, /^v1\.0\nv1\.1\nv1\.2\n$/, /^$/],
    [['tool.cwl', '--help'], 0, /--n +int\n$/, /^$/],
    [[], 2, /^$/, /^expected a CWL document, got none\n {2}hint: /],
    [['--oudir', 'x', 'tool.cwl'], 2, /^$/, /^unknown flag --oudir\n {2}hint: did you mean "?(--)?outdir/],
    [
      ['tool.cwl', '--m', '5'],
      2,
      /^$/,
      /^--m is neither a flag nor an input of the document\n {2}hint: its inputs are --n\n$/,
    ],
    [['affected'], 2, /^$/, /^affected: expected one ingredient, got 0\n {2}hint: cwl-runner affected --package NAME/],
    [['affected', '--base', 'no/such:1'], 1, /^$/, /^no record of the cluster names base no\/such:1\n {2}hint: /],
    [
      ['affected', '--package', 'openssl<'],
      2,
      /^$/,
      /^affected: --package: expected a package as NAME or NAME<VERSION, got "openssl<"\n {2}hint: as in openssl/,
    ],
    [['tool.cwl', '--n', '1e3'], 2, /^$/, /^--n: expected a whole number, got "1e3"\n$/],
    [['--json', 'tool.cwl', '--n', 'x'], 2, /^$/, /"code": "cli\/usage"/],
    [['none.cwl'], 1, /^$/, /none\.cwl/],
    [['validate', 'tool.cwl'], 0, /^1 valid, 0 invalid\n$/, /^$/],
    [['validate', '--json', 'bad'], 1, /"invalid": 2,[\s\S]*"rule": "unknown-field"[\s\S]*"rule": "unreadable"/, /^$/],
    [
      ['validate', '--sarif', 'bad'],
      1,
      /"uri": "bad\/a\.cwl",\n *"uriBaseId": "%SRCROOT%"[\s\S]*"uri": "bad\/b\.cwl"/,
      /^$/,
    ],
    [['validate', '--sarif', '--json', 'bad'], 2, /^$/, /"validate: expected one of --json and --sarif, got both"/],
    [['validate', '--jsn', 'bad'], 2, /^$/, /^validate: unknown option '--jsn'\n {2}hint: cwl-runner validate/],
    [['provenence', 'x'], 2, /^$/, /^there is neither a command nor a document provenence\n {2}hint: .*"provenance"/],
    [['provenance', '--jsn', 'x'], 2, /^$/, /^provenance: unknown option '--jsn'\n/],
    [['affected', '--base', 'a', '--base', 'b'], 2, /^$/, /^affected: expected --base once, got it again\n/],
    [['runs', 'x'], 2, /^$/, /^runs: expected flags alone, got x\n/],
    [['runs'], 0, /^$/, /^there is no run yet\n$/],
    [['runs', '--debug', '--json'], 0, /^\[\]\n$/, /^$/],
    [['image', 'save', 'x'], 2, /^$/, /^image: expected "load" and one archive, got save x\n/],
    [['image', 'load', 'none.tar'], 1, /^$/, /^image: cannot read none\.tar: ENOENT/],
    [['image', 'load', 'bad'], 1, /^$/, /bad.*has neither manifest\.json nor index\.json/],
    [['affected', '--dockerfile', 'bad'], 1, /^$/, /^affected: cannot read the Dockerfile bad: EISDIR/],
    [
      ['logs', 'zzzzz-dz642-000000000000000'],
      1,
      /^$/,
      /^containers has no record "zzzzz-dz642-000000000000000"\n {2}hint: cwl-runner runs lists/,
    ],
    [['rerun', '--oudir', 'x'], 2, /^$/, /^rerun: unknown flag --oudir\n/],
    [
      ['validate', 'none.cwl', 'tool.cwl'],
      1,
      /^1 valid, 1 invalid\n$/,
      /^cannot read \S+none\.cwl: no such file\n {2}hint: check the spelling/,
    ],
    [['logs', 'x'], 2, /^$/, /^logs: expected the uuid of a container or container request, got x\n/],
    [['rerun', 'last'], 1, /^$/, /^there is no run yet\n/],
  ])('%j ends with %i', async (args, code, stdout, stderr) => {
    const result = await run(...args);
    expect(result).toMatchObject({ code });
    expect(result.stdout).toMatch(stdout);
    expect(result.stderr).toMatch(stderr);
  });

  it.each(Object.keys(commandHelp))('%s --help says how it is called, and does nothing else', async (name) => {
    const { code, stdout, stderr } = await run(name, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^cwl-runner ${name} .+\n\n[A-Z].+\\.\n`));
    expect((await run('--help')).stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
  });

  it('goes on quietly when nobody reads any more', async () => {
    const runner = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts')];
    const script = `{ sleep 0.2; "$@" --help; echo "ended with $?" >&2; } | true`;
    const { stderr } = await new Promise<{ stderr: string }>((resolve) => {
      execFile('bash', ['-c', script, 'bash', ...runner], (_error, _stdout, stderr) => resolve({ stderr }));
    });
    expect(stderr).toBe('ended with 0\n');
  });
});

it('prints data of the published shapes', async () => {
  const ajv = new Ajv2020();
  const check = (name: string) =>
    ajv.compile(JSON.parse(readFileSync(join(import.meta.dirname, `../../schemas/${name}.schema.json`), 'utf8')));
  const validation = check('validation');
  validation(JSON.parse((await run('validate', '--json', 'bad', 'tool.cwl')).stdout));
  expect(validation.errors).toBeNull();
  const plan = check('plan');
  plan(JSON.parse((await run('--plan', '--json', 'tool.cwl', '--n', '1')).stdout));
  expect(plan.errors).toBeNull();
});
