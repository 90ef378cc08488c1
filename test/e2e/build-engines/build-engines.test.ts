import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBuildSandbox } from '../../../src/executor/sandbox/build.ts';
import { createGround } from '../../../src/executor/sandbox/ground.ts';
import { buildImage } from '../../../src/image/build/build.ts';
import { readIgnoreFile } from '../../../src/image/build/copy/ignore.ts';
import { planBuild } from '../../../src/image/build/plan/plan.ts';
import { scratchState, toImage, withHistory } from '../../../src/image/build/run/state.ts';
import { mergedTree } from '../../../src/image/layers/merged-tree.ts';
import type { Image, Layer } from '../../../src/image/model.ts';
import { toolsLayer } from '../../contract/layers.ts';
import { createMemoryLayerCache } from '../../fakes/layer-cache.ts';
import { type BuildCase, cases } from './cases.ts';
import { type Built, describeEntry, findDocker, isEngineFile } from './engine.ts';

const engine = findDocker('buildkit');
const scratch = mkdtempSync(join(tmpdir(), 'engines-'));
const ground = createGround({ home: join(scratch, 'sandbox') });
let base: Image;

beforeAll(async () => {
  if (!engine) return;
  const layer = await toolsLayer();
  base = toBase(layer);
  engine.importBase(gunzipSync(Buffer.concat(await Array.fromAsync(await layer.open()))));
}, 60_000);
afterAll(async () => {
  if (engine) await (await (await ground()).namespace()).close();
  rmSync(scratch, { recursive: true, force: true });
});

/** As `docker import` makes it: no more configuration than is asked for. */
function toBase(layer: Layer): Image {
  const state = { ...scratchState({ os: 'linux', architecture: 'amd64' }), config: { Env: ['PATH=/bin'] } };
  return toImage(withHistory(state, 'base', 0, layer), 0);
}

function writeCase({ dockerfile, context = {} }: BuildCase): string {
  const folder = mkdtempSync(join(scratch, 'case-'));
  const dir = join(folder, 'context');
  mkdirSync(dir);
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
  for (const [path, text] of Object.entries(context)) {
    mkdirSync(path.endsWith('/') ? join(dir, path) : dirname(join(dir, path)), { recursive: true });
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), join(dir, path));
    else if (!path.endsWith('/')) writeFileSync(join(dir, path), text, { mode: 0o644 });
  }
  return dir;
}

async function buildOurs(contextDir: string, each: BuildCase): Promise<Built> {
  const { buildArgs, target, dockerfile } = each;
  const plan = planBuild(dockerfile, { ...(buildArgs && { buildArgs }), ...(target && { target }) });
  const dockerignore = await readIgnoreFile(contextDir);
  const image = await buildImage({
    ...{ plan, contextDir, ...(dockerignore && { dockerignore }) },
    bases: new Map([['base', base]]),
    sandbox: createBuildSandbox(ground),
    cache: createMemoryLayerCache(),
    clampSeconds: 0,
  });
  const merged = await mergedTree(image.layers);
  const tree: Record<string, string> = {};
  for (const [path, entry] of merged.entries) {
    if (isEngineFile(path)) continue;
    const content =
      entry.type === 'file' ? Buffer.concat(await Array.fromAsync(merged.readFile(entry))).toString() : '';
    tree[path] = describeEntry(entry.type, entry.mode, entry.uid, entry.gid, content || (entry.linkTarget ?? ''));
  }
  return { tree, config: image.config.config ?? {} };
}

const comparedFields = [
  ...['User', 'Env', 'Cmd', 'Entrypoint', 'WorkingDir', 'Labels', 'ExposedPorts', 'Volumes'],
  ...['StopSignal', 'Shell', 'Healthcheck', 'OnBuild'],
];

/** Absent, null and empty are one. */
function toComparable({ tree, config }: Built) {
  const filled = comparedFields.flatMap((name) => {
    const value = config[name];
    return value === undefined || value === null || JSON.stringify(value).length <= 2 ? [] : [[name, value]];
  });
  const own = Object.entries(tree).filter(([path]) => !/^(bin|lib\w*|usr|var)(\/|$)/.test(path));
  return { tree: Object.fromEntries(own.sort()), config: Object.fromEntries(filled) };
}

describe.skipIf(!engine)(`builds compared with ${engine?.name ?? 'docker (skipped: none answers here)'}`, () => {
  it.each(cases.map((each) => [each.name, each] as const))('%s', { timeout: 60_000 }, async (_name, each) => {
    const contextDir = writeCase(each);
    const [ours, theirs] = [await buildOurs(contextDir, each), await engine?.build(contextDir, each)];
    expect(toComparable(ours)).toEqual(theirs && toComparable(theirs));
  });
});
