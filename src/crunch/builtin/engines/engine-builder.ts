import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { callCli, type EngineCli, toLine } from '../../../executor/engine/cli.ts';
import { readVersion } from '../../../executor/engine/version.ts';
import { explainRefusal } from '../../../executor/podman/refusals.ts';
import { fileAccess } from '../../../image/archive/folder.ts';
import { openArchive } from '../../../image/archive/open.ts';
import { planArchive, writeArchive } from '../../../image/archive/write.ts';
import { readIgnoreFile } from '../../../image/build/copy/ignore.ts';
import type { CopyInstruction } from '../../../image/build/dockerfile/instructions.ts';
import { planBuild } from '../../../image/build/plan/plan.ts';
import { renameBases } from '../../../image/build/plan/rename-bases.ts';
import { listRemotes } from '../../../image/build/run/remotes.ts';
import { imageError } from '../../../image/errors.ts';
import type { Image } from '../../../image/model.ts';
import { formatPlatform } from '../../../image/platform.ts';
import type { BuiltinReport } from '../../port.ts';
import { type BuildInputs, type ImageBuilder, newestOf, openBases, openRemotes } from '../builder.ts';
import { copyAdded, packAdded } from './added.ts';
import { type Dialect, dialects, type EngineBuilderName } from './dialects.ts';
import { createBuildOutput } from './output.ts';

export interface EngineBuilderOptions {
  readonly name: EngineBuilderName;
  /** Of the engine's program: PATH, HOME, DOCKER_HOST and what else it reads. */
  readonly environment: Readonly<Record<string, string>>;
  readonly program?: string;
}

/** What the calls of one build share. */
interface Build {
  readonly cli: EngineCli;
  readonly dialect: Dialect;
  readonly inputs: BuildInputs;
  readonly report: BuiltinReport;
  readonly signal: AbortSignal;
  /** Begins the private names of this build in the engine. */
  readonly prefix: string;
  /** Names that are in the engine now. */
  readonly names: string[];
}

/**
 * Builds by an engine of this machine. It gets the bases from Keep under private names and asks no registry; the result comes
 * back by an archive. The names go at the end; images and caches of the engine stay, as after any build.
 */
export function createEngineBuilder({ name, environment, program }: EngineBuilderOptions): ImageBuilder {
  const dialect = dialects[name];
  const cli: EngineCli = {
    program: program ?? dialect.program,
    globalArgs: [],
    environment: { ...environment, ...dialect.environment },
    hint: dialect.hint,
  };
  return {
    name,
    async build(inputs, report, signal) {
      report.line(`builder: ${await readVersion(cli, dialect.version, name)}`);
      const id = createHash('sha256').update(inputs.scratchDir).digest('hex').slice(0, 16);
      const build = { cli, dialect, inputs, report, signal, prefix: `localhost/hallmark-build-${id}`, names: [] };
      try {
        return await buildByEngine(build);
      } finally {
        await removeNames(build);
      }
    },
  };
}

async function buildByEngine(build: Build): Promise<Image> {
  const { inputs, dialect, report, prefix } = build;
  const { dockerfile, fileName, buildArgs, target, platform } = inputs;
  const named = { ...(target !== undefined && { target }), ...(platform && { platform }) };
  const plan = planBuild(dockerfile, { buildArgs, fileName, ...named });
  const bases = await openBases(plan, inputs);
  const clampSeconds = inputs.clampSeconds ?? newestOf(bases.values());
  const nameOf = (reference: string): string => `${prefix}:base-${[...bases.keys()].indexOf(reference)}`;
  for (const [reference, image] of bases) {
    report.activity(`giving ${reference} to ${dialect.program}`);
    await giveBase(image, nameOf(reference), build);
  }
  const name = `${prefix}:result`;
  const remotes = listRemotes(plan, bases);
  const added = await packAdded(remotes, await openRemotes(plan, bases, inputs), { ...inputs, plan, clampSeconds });
  const addedName = `${prefix}:added`;
  if (added) await giveBase(added, addedName, build);
  const toCopy = (add: CopyInstruction) => copyAdded(add, { plan, remotes, image: addedName });
  const files = await writeFiles(renameBases(plan, nameOf, toCopy), inputs);
  build.names.push(name);
  await runBuild(build, {
    ...{ ...files, name, buildArgs },
    ...(target !== undefined && { target }),
    ...(platform && { platform: formatPlatform(platform) }),
    clampSeconds,
  });
  return takeResult(name, bases, build);
}

/** By id where the engine has the image, else by an archive that carries no name but ours. */
async function giveBase(image: Image, name: string, build: Build): Promise<void> {
  const { cli, dialect, inputs, signal } = build;
  build.names.push(name);
  if ((await callCli(cli, dialect.has(image.imageHash), { signal })).exitCode === 0) {
    await call(build, dialect.tag(image.imageHash, name));
    return;
  }
  const file = join(inputs.scratchDir, 'base.tar');
  await pipeline(writeArchive(await planArchive(image, [name], signal), signal), createWriteStream(file), { signal });
  await call(build, dialect.load(file));
}

/** What the engine reads from files: the Dockerfile and its ignore file, an empty context where there is none, the secrets. */
async function writeFiles(dockerfile: string, { scratchDir, contextDir, fileName, secrets }: BuildInputs) {
  const directory = join(scratchDir, 'engine');
  const empty = join(directory, 'empty');
  await mkdir(empty, { recursive: true });
  const path = join(directory, basename(fileName));
  await writeFile(path, dockerfile);
  const ignored = contextDir === undefined ? undefined : await readIgnoreFile(contextDir, join(contextDir, fileName));
  const ignoreFile = `${path}.dockerignore`;
  if (ignored !== undefined) await writeFile(ignoreFile, ignored);
  const secretFiles = new Map<string, string>();
  for (const [id, content] of secrets) {
    const file = join(directory, `secret-${secretFiles.size}`);
    await writeFile(file, content, { mode: 0o600 });
    secretFiles.set(id, file);
  }
  return {
    ...{ dockerfile: path, contextDir: contextDir ?? empty, secrets: secretFiles },
    ...(ignored !== undefined && { ignoreFile }),
  };
}

async function runBuild(build: Build, given: Parameters<Dialect['build']>[0]): Promise<void> {
  const { cli, dialect, inputs, report, signal } = build;
  const output = createBuildOutput(inputs.secrets.values(), report);
  const { exitCode } = await callCli(cli, dialect.build(given), { signal, onOutput: output.write });
  output.end();
  if (exitCode === 0) return;
  throw imageError(
    'image/build-step-failed',
    `${dialect.program} did not build ${inputs.fileName}: ${output.lastLine()}`,
    {
      hint: explainRefusal(output.tail()) ?? `its last output was:\n${output.tail()}`,
      where: { file: inputs.fileName },
    },
  );
}

/** The image as the engine saved it; layers that a base brought are those in Keep, which nobody has to read. */
async function takeResult(name: string, bases: ReadonlyMap<string, Image>, build: Build): Promise<Image> {
  const { dialect, inputs, report } = build;
  report.activity(`taking the image from ${dialect.program}`);
  const file = join(inputs.scratchDir, 'result.tar');
  await call(build, dialect.save(name, file));
  const image = await openArchive(await fileAccess(file), { name: `the image built by ${dialect.program}` });
  const known = new Map([...bases.values()].flatMap(({ layers }) => layers).map((layer) => [layer.diffId, layer]));
  return { ...image, layers: image.layers.map((layer) => known.get(layer.diffId) ?? layer) };
}

async function call({ cli, dialect, signal }: Build, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await callCli(cli, args, { signal });
  if (exitCode === 0) return;
  throw imageError('image/build-step-failed', `${dialect.program} ${args[0]} failed: ${toLine(stderr)}`, {
    hint: 'the message is from the engine',
  });
}

/** Also after an abort. What cannot go now is of no use to anybody and harms nobody. */
async function removeNames({ cli, dialect, names, report }: Build): Promise<void> {
  for (const name of names) {
    const { exitCode, stderr } = await callCli(cli, dialect.untag([name]));
    if (exitCode !== 0 && !isMissing.test(stderr)) {
      report.line(`note: ${dialect.program} could not remove the name ${name}: ${toLine(stderr)}`);
    }
  }
}

/** A build that failed has made no image to name. */
const isMissing = /no such image|image not known|not found/i;
