import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRunner, type Runner, startToolsRegistry } from './runner.ts';

const secret = 'hunter2-of-the-build-0123456789';
let runner: Runner;
let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
beforeAll(async () => {
  runner = createRunner('build-secrets');
  registry = await startToolsRegistry();
});
afterAll(async () => {
  await registry.close();
  await runner.remove();
});

const document = (name: string) => `
cwlVersion: v1.2
class: CommandLineTool
requirements:
  DockerRequirement:
    dockerFile: |
      FROM ${registry.tools}
      RUN --mount=type=secret,id=token,required=true cat /run/secrets/token; read -r t < /run/secrets/token; echo \${#t} > /length
    dockerImageId: ${name}
baseCommand: [cat, /length]
inputs: []
stdout: out.txt
outputs: {length: {type: string, outputBinding: {glob: out.txt, loadContents: true, outputEval: "$(self[0].contents)"}}}
`;

/** Every file of the home: records, logs, layers, images. */
function filesWith(text: string): string[] {
  const paths = execFileSync('find', [runner.home, '-type', 'f']).toString().trim().split('\n');
  return paths.filter((path) => {
    const bytes = readFileSync(path);
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return bytes.includes(text) || (isGzip && gunzipSync(bytes).includes(text));
  });
}

it('a build gets the secret that is given, and nothing keeps it', { timeout: 120_000 }, async () => {
  runner.write('tool.cwl', document('with-secret'));
  runner.write('token', `${secret}\n`);
  const { exitCode, stdout, stderr } = await runner.run([
    '--secret',
    'id=token,src=token',
    '--outdir',
    'out',
    'tool.cwl',
  ]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
  expect(JSON.parse(stdout)).toEqual({ length: `${secret.length}\n` });
  expect(stderr + stdout).not.toContain(secret);
  const log = await runner.withRecords(async (cluster) => {
    const { items } = await cluster.list('container_requests', {
      filters: [['container_image', '=', 'arvados/builtin']],
    });
    const build = items.find(({ command }) => command[1] === 'build');
    expect(build?.secret_mounts).toEqual({});
    return runner.run(['logs', build?.uuid ?? '']);
  });
  expect(log.stdout).toContain('***');
  expect(filesWith('mount=type=secret')).not.toEqual([]);
  expect(filesWith(secret)).toEqual([]);
  expect(execFileSync('find', [join(runner.folder, 'home', 'work'), '-name', '*secret*']).toString()).toBe('');
});

it('a build without a secret that it requires fails, and names it', { timeout: 60_000 }, async () => {
  runner.write('tool.cwl', document('without-secret'));
  const { exitCode, stderr } = await runner.run(['--disable-reuse', 'tool.cwl']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('expected the secret "token", got none');
  expect(stderr).toContain('--secret id=token,src=FILE');
});
