import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readBuildSecrets } from './build-secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'build-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'token');
writeFileSync(path, 'from a file\n');
writeFileSync(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0]));

const read = async (...flags: string[]) =>
  Object.fromEntries(await readBuildSecrets(flags, { TOKEN: 'from a variable' }));

it('reads files and variables', async () => {
  expect(await read(`id=a,src=${path}`, 'id=b,env=TOKEN', 'id=TOKEN', `type=file,id=c,source=${path}`)).toEqual({
    a: 'from a file\n',
    b: 'from a variable',
    TOKEN: 'from a variable',
    c: 'from a file\n',
  });
});

it.each([
  ['src=x', /expected a name after id=/],
  ['id=../x,src=x', /expected a name after id=/],
  ['id=a,hunter2', /expected id=NAME,src=FILE/],
  ['id=a,value=hunter2', /expected id=NAME,src=FILE .*got id=…,value=…$/],
  ['id=a,env=NOWHERE', /expected the environment variable NOWHERE, got none/],
  ['id=a,src=/no/such/file', /cannot read \/no\/such\/file/],
  [`id=a,src=${join(folder, 'binary')}`, /expected text \(UTF-8\)/],
])('refuses %s without showing a value', async (flag, message) => {
  const failing = read(flag);
  await expect(failing).rejects.toMatchObject({ code: 'cli/usage', message: expect.stringMatching(message) });
  if (flag.includes('value')) await expect(failing).rejects.not.toThrow(/hunter2/);
});

it('takes each secret once', async () => {
  await expect(read('id=a,env=TOKEN', 'id=a,env=TOKEN')).rejects.toThrow('the secret a once');
});
