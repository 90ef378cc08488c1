// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { toMessage } from '../../src/core/errors.ts';
import { type BuildInputs, createImageBuilder, type ImageBuilder } from '../../src/crunch/builtin/builder.ts';
import { dialects, type EngineBuilderName } from '../../src/crunch/builtin/engines/dialects.ts';
import { createEngineBuilder } from '../../src/crunch/builtin/engines/engine-builder.ts';
import type { LoadableImage } from '../../src/executor/port.ts';
import { createBuildSandbox } from '../../src/executor/sandbox/build.ts';
import { createGround } from '../../src/executor/sandbox/ground.ts';
import { planArchive, writeArchive } from '../../src/image/archive/write.ts';
import type { RemoteContent } from '../../src/image/build/copy/remote-tree.ts';
import { scratchState, toImage, withHistory } from '../../src/image/build/run/state.ts';
import { mergedTree } from '../../src/image/layers/merged-tree.ts';
import type { Image } from '../../src/image/model.ts';
import { createMemoryLayerCache } from '../fakes/layer-cache.ts';
import { environment, mustWork } from './engines.ts';
import { toolsLayer } from './layers.ts';
import { validateImage } from './validate-image.ts';

const scratch = mkdtempSync(join(tmpdir(), 'image-builders-'));
const ground = createGround({ home: join(scratch, 'sandbox') });
const base = await toBase();

const ours = createImageBuilder({ sandbox: createBuildSandbox(ground), cache: createMemoryLayerCache() });

afterAll(async () => {
  await (await (await ground()).namespace()).close();
  rmSync(scratch, { recursive: true, force: true });
});

/** With a history: buildah counts the layers in it. */
async function toBase(): Promise<LoadableImage> {
  const state = { ...scratchState({ os: 'linux', architecture: 'amd64' }), config: { Env: ['PATH=/bin'] } };
  const image = toImage(withHistory(state, 'base', 0, await toolsLayer()), 0);
  return { image, openArchive: async (signal) => writeArchive(await planArchive(image, []), signal) };
}

interface Case {
  readonly dockerfile: string;
  readonly context?: Readonly<Record<string, string>>;
  /** By URL: the text of a file, or the files of a repository. */
  readonly remotes?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly more?: Partial<BuildInputs>;
}

function writeAll(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o644 });
  }
  return folder;
}

function toRemote(content: string | Readonly<Record<string, string>> = {}): RemoteContent {
  const folder = mkdtempSync(join(scratch, 'remote-'));
  if (typeof content === 'string')
    return { kind: 'file', path: join(writeAll(folder, { f: content }), 'f'), modifiedSeconds: 1234 };
  return { kind: 'git', dir: writeAll(folder, content), commit: 'c0ffee'.repeat(7).slice(0, 40) };
}

function toInputs({ dockerfile, context = {}, remotes = {}, more }: Case): BuildInputs {
  const scratchDir = mkdtempSync(join(scratch, 'build-'));
  const contextDir = writeAll(mkdtempSync(join(scratch, 'context-')), context);
  return {
    ...{ dockerfile, fileName: 'Dockerfile', contextDir, scratchDir, buildArgs: {}, secrets: new Map() },
    openBase: async () => base,
    openRemote: async ({ url }) => toRemote(remotes[url]),
    ...more,
  };
}

async function build(builder: ImageBuilder, each: Case) {
  const said: string[] = [];
  const report = {
    line: (text: string) => void said.push(text),
    activity: (text: string) => void said.push(text),
    output: (_stream: string, chunk: Uint8Array | string) => void said.push(String(chunk)),
  };
  const image = await builder.build(toInputs(each), report, new AbortController().signal);
  return { image, said: said.join('\n') };
}

/** Builders differ in whether the target of a mount stays as an empty directory. */
const engineFile = /^(dev|proc|sys|run|mnt)(\/|$)|^etc(\/(hosts|hostname|resolv\.conf|mtab))?$/;

/** What the image shows, without the tools of the base. */
async function treeOf(image: Image): Promise<Record<string, string>> {
  const merged = await mergedTree(image.layers);
  const tree: Record<string, string> = {};
  for (const [path, entry] of merged.entries) {
    if (engineFile.test(path) || /^(bin|lib\w*|usr|var)(\/|$)/.test(path)) continue;
    const content =
      entry.type === 'file' ? Buffer.concat(await Array.fromAsync(merged.readFile(entry))).toString() : '';
    tree[path] =
      `${entry.type} ${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${content}${entry.linkTarget ?? ''}`;
  }
  return tree;
}

/** What it runs as. Absent, null and empty are one. */
function configOf({ config: { config = {} } }: Image) {
  const fields = ['Env', 'Cmd', 'Entrypoint', 'WorkingDir', 'User'].map((name) =>
    [name, config[name] || '/'].join('='),
  );
  const labels = Object.entries(config.Labels ?? {}).filter(([name]) => !name.startsWith('io.buildah'));
  return [...fields.map((field) => (field.endsWith('=') ? `${field}/` : field)), ...labels.map(String).sort()];
}

const context = { 'src/a.txt': 'A', 'src/sub/b.txt': 'B', 'top.txt': 'T', '.dockerignore': '*.log\n', 'x.log': 'L' };

const cases: Readonly<Record<string, Case>> = {
  'stages, one of them not needed': {
    dockerfile:
      'FROM nowhere.invalid/none AS unused\nRUN no\nFROM example.com/base:1 AS one\nRUN mkdir /o; echo 1 > /o/f; chmod 600 /o/f\nFROM example.com/base:1\nCOPY --from=one /o /n\nRUN rm -r /tmp; echo $PATH > /path\nENV A=1\nCMD ["c"]',
  },
  'the context, its ignore file, owners': {
    dockerfile:
      'FROM example.com/base:1\nWORKDIR /w\nCOPY . all/\nCOPY --chown=7:8 src/sub /sub/\nLABEL l="two words"\nUSER 7',
    context,
  },
  'arguments, in FROM too, and a target': {
    dockerfile:
      '# syntax=docker/dockerfile:1\nARG TAG=none\nFROM example.com/base:${TAG} AS one\nARG X=x\nRUN echo $X > /x\nFROM one\nRUN no',
    more: { buildArgs: { TAG: '1', X: 'given "quoted" $HOME' }, target: 'one' },
  },
  'forms of ENV and LABEL, continued lines with comments between': {
    dockerfile: [
      'FROM example.com/base:1',
      'ENV a="x y" b=\'p q\' c=d\\ e f="say \\"hi\\""',
      'ENV h="$a" i=\\$a j=${a}z k=${none:-def} l=${a:+alt} m=${none:+alt} n=""',
      'ENV old  one two',
      'RUN echo a \\',
      '# a comment',
      '   b > /o && \\',
      '',
      '  echo "$h|$i" >> /o',
      'LABEL one=1 "two words"="x y" five="$a"',
    ].join('\n'),
  },
  'an ignore file with ** and exceptions': {
    dockerfile: 'FROM example.com/base:1\nCOPY . /c/',
    context: {
      ...{ 'a/x.log': '1', 'a/keep.log': '2', 'docs/readme.md': '3', 'docs/api/x.md': '4', 'd/e/f': '5', 'z.md': '6' },
      '.dockerignore': '# comment\n**/*.log\n!a/keep.log\n**/*.md\n!docs/readme.md\nd/e\n',
    },
  },
  'files of another image': {
    dockerfile:
      'FROM scratch\nCOPY --from=example.com/base:1 /etc/group /g\nCOPY --from=example.com/base:1 /home /home\nENTRYPOINT ["e"]',
  },
  'files of the web': {
    dockerfile: [
      'FROM example.com/base:1',
      'ARG V=1.0',
      'ADD https://h.example/t-$V.tgz /d/',
      'ADD --chmod=755 --chown=7:8 \\',
      '  https://h.example/t-${V}.tgz \\',
      '  /bin2/t$V',
      'WORKDIR /d',
      'ADD ["https://h.example/t-1.0.tgz", "https://h.example/b", "two words/"]',
      'RUN cat t-1.0.tgz > seen',
    ].join('\n'),
    remotes: { 'https://h.example/t-1.0.tgz': 'text', 'https://h.example/b': 'b' },
  },
  repositories: {
    dockerfile:
      'FROM example.com/base:1\nADD https://h.example/r.git#v1:sub /r\nADD --keep-git-dir git@h.example:k.git /k/\nADD git@h.example:k.git /n',
    remotes: {
      'https://h.example/r.git#v1:sub': { 'a.txt': 'a', 'b/c': 'c' },
      'git@h.example:k.git': { x: 'x', '.git/HEAD': 'head' },
    },
  },
  'a mounted image': {
    dockerfile:
      'FROM example.com/base:1\nRUN --mount=type=bind,from=example.com/base:1,source=/etc,target=/mnt cat /mnt/group > /g',
  },
};

function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Why the engine builds nothing here; undefined where it does. */
async function whyNot(name: EngineBuilderName): Promise<string | undefined> {
  if (!isInstalled(dialects[name].program)) return 'not installed';
  return build(createEngineBuilder({ name, environment }), { dockerfile: 'FROM example.com/base:1\nRUN :' }).then(
    () => undefined,
    toMessage,
  );
}

for (const name of Object.keys(dialects) as EngineBuilderName[]) {
  const reason = await whyNot(name);
  if (reason !== undefined && !mustWork(name)) {
    describe.skip(`builder: ${name} (skipped: ${reason}; scripts/engines.sh sets engines up)`, () =>
      it('builds', () => {}));
    continue;
  }
  describe(`builder: ${name}`, { timeout: 120_000 }, () => {
    const engine = createEngineBuilder({ name, environment });

    it.each(Object.entries(cases))('makes the same image of %s', async (_title, each) => {
      const [expected, got] = [await build(ours, each), await build(engine, each)];
      await validateImage(got.image);
      expect(await treeOf(got.image)).toEqual(await treeOf(expected.image));
      expect(configOf(got.image)).toEqual(configOf(expected.image));
    });

    it.each([
      ['--unpack of what is fetched', 'ADD --unpack https://h.example/f /d/', /cannot do an ADD --unpack of what/],
      [
        'what is fetched beside others',
        'ADD top.txt https://h.example/f /d/',
        /cannot do an ADD of fetched files beside/,
      ],
      [
        'names that a COPY reads otherwise',
        'ADD https://h.example/a%2Ab /d/',
        /cannot do an ADD of a file called "a\*b"/,
      ],
      [
        'a trigger that fetches',
        'FROM scratch AS parent\nONBUILD ADD https://h.example/f /d\nFROM parent',
        /cannot do an ONBUILD trigger that fetches/,
      ],
    ])('refuses %s', async (_title, lines, message) => {
      const dockerfile = `FROM example.com/base:1\n${lines}`;
      await expect(
        build(engine, { dockerfile, context, remotes: { 'https://h.example/f': '' } }),
      ).rejects.toMatchObject({
        code: 'image/unsupported-instruction',
        message: expect.stringMatching(message),
        where: { file: 'Dockerfile', line: dockerfile.split('\n').length },
        hint: expect.stringContaining('--builder=hallmark'),
      });
    });

    it('gives back the layers of the base as they are in Keep', async () => {
      const { image } = await build(engine, { dockerfile: 'FROM example.com/base:1\nRUN echo 1 > /f' });
      expect(image.layers[0]).toBe(base.image.layers[0]);
    });

    it('shows a secret to RUN, and to nothing else', async () => {
      const secret = 's3cret-of-the-build';
      const { image, said } = await build(engine, {
        dockerfile: `FROM example.com/base:1\nRUN --mount=type=secret,id=tok : for ${name}; cat /run/secrets/tok`,
        more: { secrets: new Map([['tok', Buffer.from(secret)]]) },
      });
      const layers = await Promise.all(
        image.layers
          .slice(1)
          .map(async (layer) => Buffer.concat(await Array.fromAsync(await layer.open())).toString('latin1')),
      );
      for (const text of [said, Buffer.from(image.configBytes).toString(), ...layers])
        expect(text).not.toContain(secret);
      expect(said).toContain('***');
    });

    it('fails with the last words of the engine', async () => {
      const failing = build(engine, { dockerfile: 'FROM example.com/base:1\nRUN echo why >&2; exit 3' });
      await expect(failing).rejects.toMatchObject({
        code: 'image/build-step-failed',
        message: expect.stringMatching(/did not build Dockerfile: .*3/),
        hint: expect.stringContaining('why'),
      });
    });

    it('asks no registry, and says which image is missing', async () => {
      const openBase = async (reference: string): Promise<never> => {
        throw new Error(`no ${reference}`);
      };
      const failing = build(engine, { dockerfile: 'FROM example.com/other:1', more: { openBase } });
      await expect(failing).rejects.toThrow('no example.com/other:1');
    });

    it('leaves no name of its own in the engine', () => {
      const listed = execFileSync(dialects[name].program, [
        'images',
        '--format',
        name === 'buildah' ? '{{.Name}}' : '{{.Repository}}',
      ]);
      expect(listed.toString()).not.toContain('hallmark-build-');
    });
  });
}
