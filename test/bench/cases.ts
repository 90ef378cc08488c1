import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { containerImage } from './documents.ts';

/** A command of ours, and the same work as cwltool does it; arguments after the program. */
export interface BenchCase {
  readonly name: string;
  readonly ours: readonly string[];
  /** Absent: measured alone. */
  readonly theirs?: readonly string[];
  /** What we hold ourselves to: a ratio of wall times, or seconds. */
  readonly bound: { readonly ratio: number } | { readonly seconds: number };
  readonly runs: number;
  /** Loaded into the case's own home before anything is measured. */
  readonly image?: string;
  /** Why it, or the other side of it, is not measured. */
  readonly skip?: string;
  readonly note?: string;
}

/** An archive of the image, as the conformance run leaves it. */
const imageArchive = (root: string) => join(root, '.cache/images/debian-stable-slim.tar');

/** Cases that take the peer minutes, since it is quadratic in the number of steps. */
const large = process.env.BENCH_LARGE !== undefined;
const alone = (seconds: number) => ({ bound: { seconds }, runs: 3 });

export function prepareCases(dir: string, root: string): BenchCase[] {
  const at = (name: string) => join(dir, name);
  const out = ['--quiet', '--outdir', at('out')];
  const run = (...names: string[]) => [...out, '--disable-reuse', ...names.map(at)];
  const validate = (name: string) => ['--validate', at(name)];
  return [
    { name: 'start-up (--version)', ours: ['--version'], theirs: ['--version'], bound: { ratio: 0.25 }, runs: 9 },
    {
      name: 'validate a small tool',
      ours: validate('echo.cwl'),
      theirs: validate('echo.cwl'),
      bound: { ratio: 0.15 },
      runs: 7,
    },
    {
      name: 'validate a workflow of 49 files',
      ours: validate('pipeline.cwl'),
      theirs: validate('pipeline.cwl'),
      bound: { ratio: 0.1 },
      runs: 3,
    },
    {
      name: 'validate a chain of 300 steps',
      ours: validate('chain300.cwl'),
      theirs: validate('chain300.cwl'),
      bound: { ratio: 0.05 },
      runs: 1,
    },
    {
      name: 'validate a chain of 1000 steps',
      ours: validate('chain1000.cwl'),
      ...(large ? { theirs: validate('chain1000.cwl'), bound: { ratio: 0.01 }, runs: 1 } : alone(1.3)),
    },
    { name: 'validate a chain of 10 000 steps', ours: validate('chain10000.cwl'), bound: { seconds: 13 }, runs: 3 },
    {
      name: 'one-step echo on the host',
      ours: run('echo.cwl'),
      theirs: [...out, at('echo.cwl')],
      bound: { ratio: 0.25 },
      runs: 7,
    },
    {
      name: 'scatter of 1000 `true` on the host',
      ours: run('scatter.cwl', 'n1000.json'),
      theirs: [...out, at('scatter.cwl'), at('n1000.json')],
      bound: { ratio: 0.3 },
      runs: 3,
    },
    {
      name: 'scatter of 5000 `true` on the host',
      ours: run('scatter.cwl', 'n5000.json'),
      theirs: [...out, at('scatter.cwl'), at('n5000.json')],
      bound: { ratio: 0.05 },
      runs: 1,
      ...(large ? {} : { skip: 'cwltool takes minutes for it: BENCH_LARGE=1' }),
    },
    containerCase(root, run('scatter-container.cwl', 'n50.json'), [
      ...out,
      '--parallel',
      at('scatter-container.cwl'),
      at('n50.json'),
    ]),
  ];
}

const docker = (...args: string[]): boolean =>
  spawnSync('docker', args, { stdio: 'ignore', timeout: 60_000 }).status === 0;

/** A docker that runs here gets the image that we have. */
const hasDockerImage = (archive: string): boolean =>
  docker('image', 'inspect', containerImage) ||
  (docker('load', '--input', archive) && docker('image', 'inspect', containerImage));

function containerCase(root: string, ours: readonly string[], theirs: readonly string[]): BenchCase {
  const image = imageArchive(root);
  return {
    name: 'scatter of 50 `true` in containers',
    ours,
    bound: { seconds: 1.3 },
    runs: 3,
    image,
    ...(hasDockerImage(image) ? { theirs } : { note: `cwltool: no docker engine here that has ${containerImage}` }),
    ...(existsSync(image) ? {} : { skip: `no ${image}: make conformance leaves one there` }),
  };
}
