/**
 * How fast a large file reaches a container (as a file and as stdin), and a large output Keep, against the speed of hashing it once:
 * `node test/bench/large-files.ts [GiB] [rounds]`. The container says itself when it had its input, or its output was written.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openCluster } from '../../src/cluster/cluster.ts';
import { containerImage } from './documents.ts';

const root = resolve(import.meta.dirname, '../..');
const image = join(root, '.cache/images/debian-stable-slim.tar');
const bytes = Number(process.argv[2] ?? 4) * 2 ** 30;
const rounds = Number(process.argv[3] ?? 1);
const dir = mkdtempSync(join(tmpdir(), 'hallmark-large-'));
const home = join(dir, 'home');
const chunk = Buffer.allocUnsafeSlow(2 ** 20);

const inImage = existsSync(image) ? `hints: {DockerRequirement: {dockerPull: "${containerImage}"}}\n` : '';
// In a home that lies in memory, what a container writes counts as its own.
const ram = `requirements: {ResourceRequirement: {ramMin: ${(2 * bytes) / 2 ** 20}}}\n`;
const head = `cwlVersion: v1.2\nclass: CommandLineTool\n${ram}${inImage}`;
const tool = (script: string, more: string) => `${head}baseCommand: [sh, -c, '${script}']\n${more}`;
const documents = {
  // The input comes first, so that the output is not of the very bytes that Keep has.
  'as a file': tool(
    'date +%s.%N; test -s "$0"',
    'inputs: {f: {type: File, inputBinding: {}}}\nstdout: at\noutputs: {at: stdout}\n',
  ),
  'as stdin': tool('date +%s.%N', 'inputs: {f: File}\nstdin: $(inputs.f.path)\nstdout: at\noutputs: {at: stdout}\n'),
  'as an output': tool(
    '(printf x; cat "$0") > big; date +%s.%N',
    'inputs: {f: {type: File, inputBinding: {}}}\nstdout: at\noutputs: {at: stdout, big: {type: File, outputBinding: {glob: big}}}\n',
  ),
};

function writeLarge(path: string): void {
  const file = openSync(path, 'w');
  for (let done = 0; done < bytes; done += chunk.length) {
    randomFillSync(chunk, 0, 4096);
    writeSync(file, chunk);
  }
  // As the files of people: what is on its way to the disk still holds up everybody else who writes.
  fsyncSync(file);
  closeSync(file);
}

/** As fast as one thread reads the file from memory and hashes it. */
function hashSeconds(path: string): number {
  const start = performance.now();
  const file = openSync(path, 'r');
  const md5 = createHash('md5');
  for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk))
    md5.update(chunk.subarray(0, length));
  md5.digest();
  closeSync(file);
  return (performance.now() - start) / 1000;
}

function run(...args: string[]): void {
  const command = [join(root, 'bin/cwl-runner'), ...args];
  const env = { ...process.env, HALLMARK_HOME: home };
  const ended = spawnSync(command[0] ?? '', command.slice(1), { cwd: dir, env, encoding: 'utf8' });
  if (ended.status !== 0) throw new Error(`${command.join(' ')}\n${ended.stderr}`);
}

async function lastFinished(): Promise<number> {
  const cluster = openCluster({ path: join(home, 'cluster.sqlite') });
  const { items } = await cluster.list('containers', { order: ['created_at desc'], limit: 1 });
  cluster.close();
  return Date.parse(items[0]?.finished_at ?? '') / 1000;
}

async function measure(name: keyof typeof documents, input: string): Promise<number> {
  const path = join(dir, `${name.replaceAll(' ', '-')}.cwl`);
  writeFileSync(path, documents[name]);
  const out = join(dir, 'out');
  const startSeconds = Date.now() / 1000;
  run('--quiet', '--outdir', out, path, '--f', input);
  const atSeconds = Number(readFileSync(join(out, 'at'), 'utf8'));
  return name === 'as an output' ? (await lastFinished()) - atSeconds : atSeconds - startSeconds;
}

/** Of one fresh home: nothing is known there from an earlier round. */
async function measureAll(): Promise<Map<string, { readonly hashing: number; readonly seconds: number }>> {
  const measured = new Map<string, { hashing: number; seconds: number }>();
  if (inImage !== '') run('image', 'load', image);
  // The first container lays the image out.
  writeFileSync(join(dir, 'small'), 'small');
  await measure('as a file', join(dir, 'small'));
  for (const name of ['as a file', 'as stdin'] as const) {
    const input = join(dir, `input ${name}`);
    writeLarge(input);
    const add = async (title: string, way: keyof typeof documents) =>
      measured.set(title, { hashing: hashSeconds(input), seconds: await measure(way, input) });
    await add(name, name);
    if (name === 'as stdin') {
      await add('as a file again', 'as a file');
      await add('as an output', 'as an output');
    }
    rmSync(input);
  }
  for (const path of [home, join(dir, 'out')]) spawnSync('rm', ['-rf', path]);
  return measured;
}

/** The best of each: what else the machine does only makes things slower. */
try {
  const all: Awaited<ReturnType<typeof measureAll>>[] = [];
  for (let round = 0; round < rounds; round += 1) all.push(await measureAll());
  for (const name of all[0]?.keys() ?? []) {
    const best = (what: 'hashing' | 'seconds') => Math.min(...all.map((one) => one.get(name)?.[what] ?? Infinity));
    report(name, best('hashing'), best('seconds'));
  }
} finally {
  spawnSync('rm', ['-rf', dir]);
}

function report(name: string, hashing: number, seconds: number): void {
  const speed = (took: number) => `${(bytes / took / 2 ** 20).toFixed(0)} MiB/s`;
  const line = [name.padEnd(18), `${seconds.toFixed(2)} s`, speed(seconds), `hashing once ${speed(hashing)}`];
  console.log([...line, `ratio ${(hashing / seconds).toFixed(2)}`].join('  '));
}
