import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRunner, type Runner, startToolsRegistry } from './runner.ts';

const uid = 64_321;
const isRoot = process.getuid?.() === 0;

/** Whether users other than root can reach the runner where it lies. */
function isOpenToAll(): boolean {
  const folders: string[] = [];
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) folders.push(folder);
  return [...folders, dirname(process.execPath)].every((folder) => (statSync(folder).mode & 0o005) === 0o005);
}

function hasNewuidmap(): boolean {
  try {
    accessSync('/usr/bin/newuidmap', constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Packages are installed like this: files for other users, a service that is no longer root. */
const document = (base: string): string => `cwlVersion: v1.2
class: CommandLineTool
hints:
  DockerRequirement:
    dockerFile: |
      FROM ${base}
      RUN mkdir /srv && touch /srv/data && chown worker:4321 /srv/data && chmod 600 /srv/data
      RUN ls -ln /srv > /owners
      USER worker
      RUN id -u > /tmp/user || id -u > /home/worker/user
baseCommand: [sh, -c, 'cat /owners; id -u; touch mine; chown 5:5 mine && echo given']
inputs: {}
stdout: out.txt
outputs: { out: stdout, mine: { type: File, outputBinding: { glob: mine } } }
`;

describe.runIf(isRoot && isOpenToAll())('an ordinary user', { timeout: 180_000 }, () => {
  let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
  let runner: Runner;
  beforeAll(async () => {
    registry = await startToolsRegistry();
  });
  afterAll(() => registry.close());

  /** The tables of users as this user's machine has them, which only the runner sees. */
  function asUser(subordinate: string): readonly string[] {
    const tables = { passwd: `someone:x:${uid}:${uid}::/:/bin/sh\n`, subuid: subordinate, subgid: subordinate };
    const folder = join(runner.folder, 'tables');
    mkdirSync(folder);
    for (const [name, more] of Object.entries(tables)) {
      const own = name === 'passwd' ? readFileSync('/etc/passwd', 'utf8') : '';
      writeFileSync(join(folder, name), own + more);
    }
    const binds = Object.keys(tables).map((name) => `: >> /etc/${name}; mount --bind "$1/${name}" /etc/${name}`);
    const script = `${binds.join('\n')}\nshift\nexec setpriv --reuid=${uid} --regid=${uid} --clear-groups -- "$@"`;
    return ['unshare', '--mount', 'sh', '-e', '-c', script, 'sh', folder];
  }

  const entriesOf = (name: string): string[] => {
    const folder = join(runner.home, 'sandbox', name);
    return existsSync(folder) ? readdirSync(folder) : [];
  };

  async function runAs(subordinate: string): Promise<string> {
    runner = createRunner('users');
    try {
      runner.write('tool.cwl', document(registry.tools));
      const through = asUser(subordinate);
      chmodSync(runner.folder, 0o755);
      for (const path of [runner.folder, runner.home]) chownSync(path, uid, uid);
      const ended = await runner.run(['--outdir', 'out', 'tool.cwl'], { through });
      expect(ended).toMatchObject({ exitCode: 0 });
      expect(statSync(join(runner.folder, 'out/mine')).uid).toBe(uid);
      await sleep(2_100); // Nothing younger is ever unused.
      expect(await runner.run(['gc', '--unused-for', '0s'], { through })).toMatchObject({ exitCode: 0, stderr: '' });
      expect(['layers', 'single/layers'].flatMap(entriesOf)).toEqual([]);
      return readFileSync(join(runner.folder, 'out/out.txt'), 'utf8');
    } finally {
      await runner.remove();
    }
  }

  it.runIf(hasNewuidmap())('with subordinate ids has every user of an image', async () => {
    const text = await runAs(`someone:200000:65536\n`);
    expect(text).toMatch(/^-rw-------.* 1234 +4321 .* data$/m);
    expect(text).toMatch(/^0$/m);
  });

  it('without subordinate ids is every user of an image', async () => {
    const text = await runAs('');
    expect(text).toMatch(/^-rw-------.* 0 +0 .* data$/m);
    expect(text).toMatch(/^0\ngiven$/m);
  });
});
