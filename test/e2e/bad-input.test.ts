import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry } from '../fakes/registry.ts';
import { smallImage } from '../fakes/registry-images.ts';
import { createRunner, type Runner, type StartOptions, startToolsRegistry } from './runner.ts';

let runner: Runner;
let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
let locked: Awaited<ReturnType<typeof startRegistry>>;
beforeAll(async () => {
  runner = createRunner('bad-input');
  registry = await startToolsRegistry();
  locked = await startRegistry({ auth: 'basic', users: { ann: 'secret' } });
  locked.add('tool', '1', smallImage('locked'));
});
afterAll(async () => {
  await registry.close();
  await locked.close();
  await runner.remove();
});

const tool = (command: readonly string[], more = '', inputs = '{}'): string => `cwlVersion: v1.2
class: CommandLineTool
baseCommand: ${JSON.stringify(command)}
inputs: ${inputs}
outputs: {}
${more}
`;
const docker = (field: string, value: string): string =>
  `hints: { DockerRequirement: { ${field}: ${JSON.stringify(value)} } }`;
const pull = (reference: string): string => tool(['true'], docker('dockerPull', reference));
const build = (text: string): string => tool(['true'], docker('dockerFile', text));

interface Expected {
  readonly exitCode?: number;
  /** Every one is on standard error. */
  readonly says: readonly (string | RegExp)[];
}

/** No result, no stack trace, no internals; what failed, and what to do. */
async function expectRefusal(args: readonly string[], { exitCode = 1, says }: Expected, options: StartOptions = {}) {
  const ended = await runner.run(['--disable-reuse', ...args], options);
  expect(ended).toMatchObject({ exitCode, stdout: '' });
  expect(ended.stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  expect(ended.stderr).not.toMatch(/Warning: |HallmarkError|undefined/);
  for (const text of says) expect(ended.stderr).toMatch(text);
}

const run = (document: string, expected: Expected, options?: StartOptions) => {
  runner.write('tool.cwl', document);
  return expectRefusal(['tool.cwl'], expected, options);
};

describe('the command line and the documents', { timeout: 120_000 }, () => {
  it('a document that is not there', () =>
    expectRefusal(['nothing.cwl'], {
      says: [/^cannot read \S+\/nothing.cwl: no such file$/m, '  hint: check the spelling'],
    }));

  it('an unknown flag', () =>
    expectRefusal(['--nosuch', 'tool.cwl'], {
      exitCode: 2,
      says: [/^unknown flag --nosuch$/m, 'hint: cwl-runner --help'],
    }));

  it('an unknown flag for an input', async () => {
    runner.write('tool.cwl', tool(['true'], '', '{ n: int }'));
    await expectRefusal(['tool.cwl', '--many', '3'], {
      exitCode: 2,
      says: ['--many is neither', 'its inputs are --n'],
    });
  });

  it('YAML that is none', () =>
    run('cwlVersion: v1.2\nclass: [unclosed\nfoo: bar\n', { says: [/tool\.cwl:3:4: bad YAML: /, '| foo: bar'] }));

  it('a requirement that nobody knows', () =>
    run(tool(['true'], 'requirements: { FlyingRequirement: {} }'), {
      exitCode: 33,
      says: [/tool\.cwl:6:17: .*"FlyingRequirement" is not supported/, 'as a hint it would be ignored'],
    }));

  it('a requirement that is misspelt', () =>
    run(tool(['true'], 'requirements: { NetworkAcess: { networkAccess: true } }'), {
      says: [/tool\.cwl:6:17: .*unknown requirement "NetworkAcess"/, 'did you mean "NetworkAccess"?'],
    }));

  it('a file that is not there', async () => {
    runner.write('tool.cwl', tool(['true'], '', '{ f: File }'));
    runner.write('job.yml', 'f: { class: File, location: nowhere.txt }\n');
    await expectRefusal(['tool.cwl', 'job.yml'], {
      says: [
        /job\.yml:1:29: error: input f: there is no .*nowhere\.txt$/m,
        'paths in a job file are relative to that file',
      ],
    });
  });

  it('a value of another type', async () => {
    runner.write('tool.cwl', tool(['true'], '', '{ n: int }'));
    runner.write('job.yml', 'n: many\n');
    await expectRefusal(['tool.cwl', 'job.yml'], {
      says: [/job\.yml:1:4: .*input n: expected int, got the string "many"/, /^ +n: many\n +\^~~~$/m],
    });
  });
});

describe('images', { timeout: 120_000 }, () => {
  it('a registry that is down: told while it is asked again, and asked by one container alone', async () => {
    await run(pull('127.0.0.1:1/none:1'), {
      says: [
        /pulling: .*no answer from 127\.0\.0\.1:1: .*; trying again in /,
        /^\S+tool\.cwl:\d+:\d+: pull 127\.0\.0\.1:1\/none:1 failed: .*no answer from 127\.0\.0\.1:1: /m,
        'hint: check that the registry runs',
      ],
    });
    await runner.withRecords(async (cluster) => {
      const command = ['docker', 'pull', '127.0.0.1:1/none:1'];
      const { items } = await cluster.list('containers', { filters: [['command', '=', command]] });
      expect(items.map(({ state, exit_code }) => [state, exit_code])).toEqual([['Cancelled', null]]);
    });
  });

  it('an image that the registry does not have', async () => {
    await run(pull(`${registry.host}/none:1`), {
      says: [/failed: .*answered 404 \(MANIFEST_UNKNOWN/, 'hint: check the spelling of repository and tag'],
    });
    expect(registry.seen.filter(({ path }) => path.includes('none'))).toHaveLength(1);
  });

  it('an image that needs a login', () =>
    run(pull(`${locked.host}/tool:1`), { says: [/failed: .*answered 401 \(UNAUTHORIZED/, 'docker login'] }));

  it('a blob that has another digest', async () => {
    registry.faults.flipBit = true;
    await run(pull(registry.tools), {
      says: [/failed: blob sha256:\w+: expected sha256:\w+, got sha256:\w+/, 'hint: '],
    });
    delete registry.faults.flipBit;
    await runner.withRecords(async (cluster) => {
      const images = await cluster.list('collections', { filters: [['properties', 'exists', 'docker-image-hash']] });
      expect(images.items).toEqual([]);
    });
  });

  it('a blob that is cut each time', async () => {
    registry.faults.cutBlob = { afterBytes: 0, times: 1000 };
    await run(pull(registry.tools), { says: [/^\S+tool\.cwl:\d+:\d+: pull \S+ failed: blob sha256:\w+: /m, 'hint: '] });
    delete registry.faults.cutBlob;
  });

  it('an archive that is none', () => {
    runner.write('bad.tar', 'this is no archive');
    return run(tool(['true'], docker('dockerLoad', 'bad.tar')), { says: [/bad\.tar/, 'hint: '] });
  });

  it('a RUN that fails: the instruction, its line, its output', () =>
    run(build(`FROM ${registry.tools}\n\nRUN echo before; echo oops >&2; exit 7\n`), {
      says: [
        /failed: Dockerfile:3: expected exit code 0, got 7 from: RUN echo before/,
        /hint: its last output was:\n/,
        /^.*before\n.*oops$/m,
      ],
    }));

  it('an instruction that nobody knows', () =>
    run(build(`FROM ${registry.tools}\nRUN true\nFETCH x\n`), {
      says: [/^Dockerfile of tool\.cwl:3:1: unknown instruction FETCH$/m],
    }));

  it('an instruction that is not supported', () =>
    run(build(`FROM ${registry.tools}\nRUN --security=insecure true\n`), {
      says: [/^Dockerfile of tool\.cwl:2:1: RUN --security=insecure is not supported$/m],
    }));
});

describe('steps', { timeout: 120_000 }, () => {
  it('a command that fails: step, command, exit code, stderr, log', () =>
    run(tool(['sh', '-c', 'echo one >&2; echo two >&2; exit 3']), {
      says: [
        /^step tool\.cwl failed: exit code 3$/m,
        "  command: sh -c 'echo one >&2; echo two >&2; exit 3'",
        '  | one\n  | two\n',
        /whole log: cwl-runner logs \w{5}-xvhdp-\w{15}/,
      ],
    }));

  it('a program that is not there', async () => {
    const says = [/failed: exit code 127 \(a program was not found\)/, 'command: no-such-program'];
    await run(tool(['no-such-program']), { says: [...says, 'hint: install no-such-program'] });
    const inImage = tool(['no-such-program'], docker('dockerPull', registry.tools));
    await run(inImage, { says: [...says, 'hint: is no-such-program, or what it calls, in the image'] });
  });

  it('a program that cannot be executed', () =>
    run(tool(['/etc/passwd']), {
      says: [/failed: exit code 126 \(a program was found/, 'hint: its log says why: a file without the mode'],
    }));

  it('one that takes too much memory', () =>
    run(
      tool(
        ['sh', '-c', 'i=a; while :; do i=$i$i; done'],
        `${docker('dockerPull', registry.tools)}\nrequirements: { ResourceRequirement: { ramMin: 64, ramMax: 64 } }`,
      ),
      { says: [/ran out of memory: the limit is 64\.0 MiB/, 'hint: raise ramMin'] },
    ));

  it('one that takes too long', () =>
    run(tool(['sleep', '30'], 'requirements: { ToolTimeLimit: { timelimit: 1 } }'), {
      says: ['the time limit of 1 s was reached', 'hint: raise the timelimit'],
    }));
});

const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot)('the machine', { timeout: 120_000 }, () => {
  /** A home on a file system of its own, mounted with `options`, which only the runner sees. */
  function onFileSystem(name: string, options: string): StartOptions {
    const folder = join(runner.folder, name);
    mkdirSync(folder);
    const script = `mount -t tmpfs -o ${options} none "$1"; shift; exec "$@"`;
    return { through: ['unshare', '--mount', 'sh', '-c', script, 'sh', folder], env: { HALLMARK_HOME: folder } };
  }

  it('a disk that is full', () =>
    run(
      pull(registry.tools),
      { says: [/failed: .*no space left/i, 'hint: free some space'] },
      onFileSystem('full', 'size=2m'),
    ));

  it('a disk that is full to the last record', () =>
    run(
      tool(['sh', '-c', 'head -c 3000000 /dev/zero'], 'stdout: out.txt'),
      { says: [/^no space left to write the record store .*\/cluster\.sqlite$/m, 'hint: free some space'] },
      onFileSystem('records', 'size=600k'),
    ));

  it('a home that cannot be written', () =>
    run(tool(['true']), { says: [/^cannot use .*readonly/m, 'hint: '] }, onFileSystem('readonly', 'ro')));

  it('a home that is a file', () => {
    const home = runner.write('home-file', '');
    return run(
      tool(['true']),
      { says: [`cannot use ${home} as home`, 'hint: set HALLMARK_HOME'] },
      { env: { HALLMARK_HOME: home } },
    );
  });

  it('a kernel without user namespaces', () => {
    const script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"';
    const through = [
      'unshare',
      '--user',
      '--map-root-user',
      '--mount',
      '--pid',
      '--fork',
      '--mount-proc',
      'sh',
      '-c',
      script,
      'sh',
    ];
    return run(
      pull(registry.tools),
      { says: ['failed: a user namespace cannot be made on this machine', /hint: .*user\.max_user_namespaces/] },
      { through },
    );
  });
});
