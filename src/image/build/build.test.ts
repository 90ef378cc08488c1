import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { directory, file, symlink, toLayer } from '../../../test/contract/layers.ts';
import { createFakeBuildSandbox } from '../../../test/fakes/build-sandbox.ts';
import { mergedTree } from '../layers/merged-tree.ts';
import type { Image, Layer } from '../model.ts';
import { buildImage } from './build.ts';
import { createMemoryLayerCache } from './cache/memory.ts';
import type { PlanOptions } from './plan/model.ts';
import { planBuild } from './plan/plan.ts';
import type { BuildEvent } from './run/events.ts';
import type { BuildOptions } from './run/options.ts';
import { scratchState, toImage, withHistory } from './run/state.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const clampSeconds = 1_700_000_000;
let context: string;

beforeEach(() => {
  context = mkdtempSync(join(tmpdir(), 'context-'));
});
afterEach(() => rmSync(context, { recursive: true, force: true }));

function write(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(context, path)), { recursive: true });
    writeFileSync(join(context, path), text, { mode: 0o644 });
  }
}

async function baseImage(config: Record<string, unknown> = {}, extra: Layer[] = []): Promise<Image> {
  const layer = await toLayer([
    directory('bin'),
    ...['sh', 'cat', 'env', 'id', 'ls', 'mkdir', 'rm', 'touch', 'chmod', 'sleep'].map((name) =>
      file(`bin/${name}`, '', { mode: 0o755 }),
    ),
    directory('etc'),
    file('etc/passwd', 'root:x:0:0::/root:/bin/sh\nworker:x:1234:4321::/home/worker:/bin/sh\n'),
    file('etc/group', 'root:x:0:\nstaff:x:50:\n'),
    directory('tmp', { mode: 0o1777 }),
    directory('usr'),
    directory('usr/lib'),
    symlink('lib', 'usr/lib'),
  ]);
  let state = scratchState(platform);
  for (const each of [layer, ...extra]) state = withHistory(state, 'base', 0, each);
  return toImage({ ...state, config: { ...state.config, ...config } }, 0);
}

async function build(text: string, options: Partial<BuildOptions> & { plan?: never; planOptions?: PlanOptions } = {}) {
  const { planOptions, ...rest } = options;
  const sandbox = createFakeBuildSandbox();
  const events: BuildEvent[] = [];
  const plan = planBuild(text, { platform, ...planOptions });
  const bases = new Map([['base', await baseImage()]]);
  const defaults = { contextDir: context, bases, sandbox, cache: createMemoryLayerCache(), clampSeconds };
  const image = await buildImage({ ...defaults, onEvent: (event) => events.push(event), ...rest, plan });
  return { image, sandbox, events };
}

/** The tree of an image as lines: `path mode uid:gid type text`. */
async function listing(image: Image, under = ''): Promise<string[]> {
  const tree = await mergedTree(image.layers);
  const lines: string[] = [];
  for (const [path, entry] of [...tree.entries].sort()) {
    if (!path.startsWith(under)) continue;
    const text =
      entry.type === 'file'
        ? Buffer.concat(await Array.fromAsync(tree.readFile(entry))).toString()
        : (entry.linkTarget ?? '');
    lines.push(`${path} ${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${entry.type} ${JSON.stringify(text)}`);
  }
  return lines;
}

describe('buildImage', () => {
  it('runs FROM, ENV, RUN and COPY', async () => {
    write({ 'app/main.txt': 'hello' });
    const { image, events } = await build(`FROM base
ENV GREETING="good day"
RUN echo "$GREETING" > /greeting
COPY app /srv/app
`);
    expect(await listing(image, 'greeting')).toEqual(['greeting 644 0:0 file "good day\\n"']);
    expect(await listing(image, 'srv')).toEqual([
      'srv 755 0:0 directory ""',
      'srv/app 755 0:0 directory ""',
      'srv/app/main.txt 644 0:0 file "hello"',
    ]);
    expect(image.config.config?.Env).toEqual([expect.stringMatching(/^PATH=/), 'GREETING=good day']);
    expect(
      events.filter(({ kind }) => kind === 'end').map((event) => (event.kind === 'end' ? event.outcome : '')),
    ).toEqual(['metadata', 'ran', 'ran']);
  });
});
