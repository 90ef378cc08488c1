/**
 * kill.ts [ROUNDS]: kills the runner with SIGKILL at random points of a workflow that pulls, builds and scatters, runs it again,
 * and says what was lost or left. Each round has a fresh home.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from '../../src/api/records.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createCollectionReader } from '../../src/crunch/collections.ts';
import { createImageOpener } from '../../src/crunch/images/opener.ts';
import { openDiskBlockStore } from '../../src/keep/disk/disk-store.ts';
import { validateImage } from '../contract/validate-image.ts';
import { lastingProcessesWith, mountsBelow, unfinishedIn } from './leftovers.ts';
import { createRunner, type Runner, startToolsRegistry } from './runner.ts';

/** Six slow samples in an image that is built on the way, and one step that takes all of them together. */
export const workflow = (base: string): string => `
cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {}, InlineJavascriptRequirement: {} }
hints:
  DockerRequirement:
    dockerFile: |
      FROM ${base}
      RUN sleep 0.2; echo one > /one
      RUN sleep 0.2; cat /one > /two
inputs: { samples: "string[]" }
outputs:
  all: { type: File, outputSource: gather/out }
steps:
  sample:
    scatter: name
    in: { name: samples }
    out: [out]
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'sleep 0.3; cat /two; echo "$0"']
      inputs: { name: { type: string, inputBinding: {} } }
      stdout: sample.txt
      outputs: { out: stdout }
  gather:
    in: { files: sample/out }
    out: [out]
    run:
      class: CommandLineTool
      baseCommand: [cat]
      inputs: { files: { type: "File[]", inputBinding: {} } }
      stdout: all.txt
      outputs: { out: stdout }
`;

export const samples = ['a', 'b', 'c', 'd', 'e', 'f'];

export interface Round {
  readonly killedAfterMs: number;
  /** What had ended well before the kill. */
  readonly completeBefore: number;
  readonly problems: readonly string[];
}

/** One kill, one more run, and what is wrong after it. */
export async function killOnce(base: string, killAfterMs: number): Promise<Round> {
  const runner = createRunner(`kill-${randomUUID()}`);
  try {
    const args = prepare(runner, base);
    const { child, ended } = runner.start(args);
    await Promise.race([ended, sleep(killAfterMs)]);
    child.kill('SIGKILL');
    await ended;
    const problems = (await lastingProcessesWith(runner.folder)).map((line) => `still runs after the kill: ${line}`);
    const completeBefore = await runner.withRecords(async (cluster) => (await listComplete(cluster)).length);
    const killed = await runner.run(['runs']);
    if (/ running /.test(killed.stdout)) problems.push(`a run without a runner is not interrupted: ${killed.stdout}`);
    const again = await runner.run(killed.stdout === '' ? args : ['rerun', 'last', '--outdir', 'out']);
    if (again.exitCode !== 0) problems.push(`the second run ended with ${again.exitCode}: ${again.stderr}`);
    return { killedAfterMs: killAfterMs, completeBefore, problems: [...problems, ...(await findProblems(runner))] };
  } finally {
    await runner.remove();
  }
}

export function prepare(runner: Runner, base: string): readonly string[] {
  runner.write('workflow.cwl', workflow(base));
  runner.write('inputs.yml', `samples: [${samples.join(', ')}]\n`);
  return ['--outdir', 'out', 'workflow.cwl', 'inputs.yml'];
}

/** Of a home whose last run has ended: what a crash may leave, and what it must not have lost. */
export async function findProblems(runner: Runner): Promise<string[]> {
  const problems = [
    ...(await lastingProcessesWith(runner.folder)).map((line) => `left running: ${line}`),
    ...mountsBelow(runner.folder).map((line) => `left mounted: ${line}`),
    ...unfinishedIn(runner.home).map((path) => `left behind: ${path}`),
  ];
  return runner.withRecords(async (cluster) => {
    const complete = await listComplete(cluster);
    const commands = complete.map(({ command }) => command.join(' '));
    // A pull that was killed when its image was in Keep is not done again: the image is found there, with its digest.
    const others = commands.filter((command) => !command.startsWith('docker pull '));
    const expected = samples.length + 2;
    if (new Set(others).size !== expected) problems.push(`expected ${expected} commands, got ${others.join('; ')}`);
    const twice = commands.filter((command, index) => commands.indexOf(command) !== index);
    for (const command of twice) problems.push(`ran to its end twice: ${command}`);
    const open = await cluster.list('containers', { filters: [['state', 'in', ['Queued', 'Locked', 'Running']]] });
    for (const { uuid, state } of open.items) problems.push(`${uuid} is still ${state}`);
    const requests = await cluster.list('container_requests', { filters: [['state', '=', 'Committed']] });
    for (const { uuid } of requests.items) problems.push(`${uuid} waits for ever`);
    return [...problems, ...(await findBadImages(runner, cluster))];
  });
}

type Records = Parameters<Parameters<Runner['withRecords']>[0]>[0];

async function listComplete(cluster: Records): Promise<readonly Container[]> {
  const page = await cluster.list('containers', {
    filters: [
      ['state', '=', 'Complete'],
      ['exit_code', '=', 0],
    ],
    limit: 1000,
  });
  return page.items;
}

/** Every image in Keep is whole. */
async function findBadImages(runner: Runner, cluster: Records): Promise<string[]> {
  const blocks = await openDiskBlockStore(`${runner.home}/keep`, { clock: systemClock() });
  const opener = createImageOpener(createCollectionReader(cluster), blocks);
  const images = await cluster.list('collections', { filters: [['properties', 'exists', 'docker-image-hash']] });
  const problems: string[] = [];
  for (const { uuid, portable_data_hash: hash } of images.items) {
    await opener
      .open(hash)
      .then(({ image }) => validateImage(image))
      .catch((error: Error) => problems.push(`image ${uuid}: ${error.message}`));
  }
  if (images.items.length < 2) problems.push(`expected two images in Keep, got ${images.items.length}`);
  return problems;
}

/** How long one undisturbed run takes, once it is warm: the kills are spread over it. */
export async function measureRun(base: string): Promise<number> {
  let tookMs = 0;
  for (let times = 0; times < 2; times += 1) {
    const runner = createRunner('kill-measure');
    try {
      const start = performance.now();
      const { exitCode, stderr } = await runner.run(prepare(runner, base));
      if (exitCode !== 0) throw new Error(`the undisturbed run ended with ${exitCode}: ${stderr}`);
      tookMs = performance.now() - start;
    } finally {
      await runner.remove();
    }
  }
  return tookMs;
}

async function main(rounds: number): Promise<void> {
  const registry = await startToolsRegistry();
  const wholeMs = await measureRun(registry.tools);
  console.log(`undisturbed: ${wholeMs.toFixed(0)} ms`);
  let bad = 0;
  for (let index = 0; index < rounds; index += 1) {
    const round = await killOnce(registry.tools, Math.random() * wholeMs);
    if (round.problems.length > 0) bad += 1;
    console.log(
      `${index + 1}: killed after ${round.killedAfterMs.toFixed(0)} ms, ${round.completeBefore} complete; ${round.problems.join('\n    ') || 'well'}`,
    );
  }
  console.log(`${rounds} kills, ${bad} with problems`);
  process.exitCode = bad === 0 ? 0 : 1;
  await registry.close();
}

if (import.meta.main) await main(Number(process.argv[2] ?? 10));
