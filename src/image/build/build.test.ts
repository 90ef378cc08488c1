// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { directory, file, symlink, toLayer } from '../../../test/contract/layers.ts';
import { validateImage } from '../../../test/contract/validate-image.ts';
import { createFakeBuildSandbox } from '../../../test/fakes/build-sandbox.ts';
import { createMemoryLayerCache } from '../../../test/fakes/layer-cache.ts';
import type { Digest } from '../../core/ids.ts';
import { mergedTree } from '../layers/merged-tree.ts';
import type { Image, Layer } from '../model.ts';
import { buildImage } from './build.ts';
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

async function build(text: string, options: Partial<Omit<BuildOptions, 'plan'>> & { planOptions?: PlanOptions } = {}) {
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

const outcomes = (events: readonly BuildEvent[]) =>
  events.flatMap((event) => (event.kind === 'end' ? [event.outcome] : []));
const output = (events: readonly BuildEvent[]) =>
  events.map((event) => (event.kind === 'output' ? event.text : '')).join('');
const refusal = (code: string, message: RegExp, line?: number) =>
  expect.objectContaining({
    code,
    message: expect.stringMatching(message),
    ...(line !== undefined && { where: { file: 'Dockerfile', line } }),
  });

/** An image that is named and cannot be read: what is built from it must have come from the cache. */
function unreadable(image: Image): Image {
  const open = () => Promise.reject(new Error('a layer was read'));
  return { ...image, layers: image.layers.map((layer) => ({ ...layer, open })) };
}

describe('buildImage', () => {
  it('runs FROM, ENV, RUN and COPY, and says so', async () => {
    write({ 'app/main.txt': 'hello' });
    const { image, events } = await build(
      'FROM base\nENV GREETING="good day"\nRUN echo "$GREETING" > /greeting; echo told\nCOPY app /srv/app\n',
    );
    expect(await listing(image, 'greeting')).toEqual(['greeting 644 0:0 file "good day\\n"']);
    expect(await listing(image, 'srv')).toEqual([
      'srv 755 0:0 directory ""',
      'srv/app 755 0:0 directory ""',
      'srv/app/main.txt 644 0:0 file "hello"',
    ]);
    expect(image.config.config?.Env).toEqual([expect.stringMatching(/^PATH=/), 'GREETING=good day']);
    const steps = events
      .filter(({ kind }) => kind === 'start')
      .map(({ step }) => [step.number, step.total, step.line, step.text]);
    expect(steps).toEqual([
      [1, 3, 2, 'ENV GREETING="good day"'],
      [2, 3, 3, 'RUN echo "$GREETING" > /greeting; echo told'],
      [3, 3, 4, 'COPY app /srv/app'],
    ]);
    expect(outcomes(events)).toEqual(['metadata', 'ran', 'ran']);
    expect(output(events)).toBe('told\n');
    await validateImage(image);
  });

  it('gives the base itself where nothing is done to it', async () => {
    const base = unreadable(await baseImage());
    const { image } = await build('FROM base', { bases: new Map([['base', base]]) });
    expect(image).toBe(base);
  });

  describe('reproducibility', () => {
    const text = 'FROM base\nWORKDIR /w\nCOPY . .\nRUN echo 1 > /made\nLABEL b=1 a=2';

    it('gives equal images for equal builds, whatever the times and the cache', async () => {
      write({ a: '1', 'd/b': '2' });
      const first = await build(text);
      utimesSync(join(context, 'a'), 1, 1);
      const second = await build(text);
      expect(second.image.imageHash).toBe(first.image.imageHash);
    });

    it('has no time later than the clamp, in files, history and configuration', async () => {
      write({ a: '1' });
      const { image } = await build(text);
      const { entries } = await mergedTree(image.layers);
      expect(Math.max(...[...entries.values()].map(({ mtime }) => mtime))).toBe(clampSeconds);
      expect(image.config.created).toBe('2023-11-14T22:13:20Z');
      expect(image.config.history?.at(-1)).toEqual({
        ...{ created: '2023-11-14T22:13:20Z', created_by: 'LABEL b=1 a=2', comment: 'hallmark', empty_layer: true },
      });
    });

    it('makes another image of another clamp, mode, content or argument', async () => {
      write({ a: '1' });
      const hash = async (options = {}, dockerfile = `${text}\nARG X\n`) =>
        (await build(dockerfile, options)).image.imageHash;
      const hashes = [
        await hash(),
        await hash({ clampSeconds: 5 }),
        await hash({ planOptions: { platform, buildArgs: { X: '1' } } }),
      ];
      chmodSync(join(context, 'a'), 0o600);
      hashes.push(await hash());
      write({ a: '2' });
      hashes.push(await hash());
      expect(new Set(hashes).size).toBe(hashes.length);
    });
  });

  describe('the cache', () => {
    const text = 'FROM base\nWORKDIR /w\nRUN echo 1 > /one\nCOPY a /a\nRUN echo 2 > /two';

    it('serves a whole build without reading a layer or opening a root', async () => {
      write({ a: '1' });
      const cache = createMemoryLayerCache();
      const sealed = {
        ...cache,
        get: async (key: Digest) => (await cache.get(key)) && unreadableLayer(await cache.get(key)),
      };
      const first = await build(text, { cache });
      const bases = new Map([['base', unreadable(await baseImage())]]);
      const second = await build(text, { cache: sealed, bases });
      expect(second.image.imageHash).toBe(first.image.imageHash);
      expect(outcomes(second.events)).toEqual(['cached', 'cached', 'cached', 'cached']);
      expect(second.sandbox.opened()).toBe(0);
    });

    it('runs again from the first change on, and not for what nobody copies', async () => {
      write({ a: '1', other: 'x' });
      const cache = createMemoryLayerCache();
      await build(text, { cache });
      write({ other: 'y' });
      expect(outcomes((await build(text, { cache })).events)).toEqual(['cached', 'cached', 'cached', 'cached']);
      write({ a: '2' });
      expect(outcomes((await build(text, { cache })).events)).toEqual(['cached', 'cached', 'ran', 'ran']);
    });

    it('knows a copy from a stage by what it reads of it', async () => {
      const of = (noise: string) =>
        `FROM base AS one\nRUN echo ${noise} > /noise; echo kept > /kept\nFROM base\nCOPY --from=one /kept /k\nRUN echo 2 > /two`;
      const cache = createMemoryLayerCache();
      await build(of('1'), { cache });
      const { events } = await build(of('2'), { cache });
      expect(
        events.flatMap((event) => (event.kind === 'end' && event.step.stage !== 'one' ? [event.outcome] : [])),
      ).toEqual(['cached', 'cached']);
    });

    it.each<[string, string, PlanOptions, string]>([
      ['an argument that the command can see', 'FROM base\nARG V=1\nRUN echo x > /x', { buildArgs: { V: '2' } }, 'ran'],
      ['an argument that comes later', 'FROM base\nRUN echo x > /x\nARG V=1', { buildArgs: { V: '2' } }, 'cached'],
      ['a proxy', 'FROM base\nRUN echo x > /x', { buildArgs: { HTTP_PROXY: 'http://user:pw@p' } }, 'cached'],
    ])('minds %s as it should', async (_what, dockerfile, planOptions, expected) => {
      const cache = createMemoryLayerCache();
      await build(dockerfile, { cache });
      const { events } = await build(dockerfile, { cache, planOptions: { platform, ...planOptions } });
      expect(events.find((event) => event.kind === 'end' && event.step.text.startsWith('RUN'))).toMatchObject({
        outcome: expected,
      });
    });

    it('adds no layer for a step that changes nothing', async () => {
      const { image } = await build('FROM base\nRUN true\nWORKDIR /tmp');
      expect(image.layers).toHaveLength(1);
      expect(image.config.history?.map(({ empty_layer }) => empty_layer ?? false)).toEqual([false, true, true]);
      await validateImage(image);
    });
  });

  describe('RUN', () => {
    it('fails with the instruction, its line, its exit code and its last lines', async () => {
      const lines = Array.from({ length: 30 }, (_, at) => `echo line-${at}`).join('; ');
      const failing = build(`FROM base\n\nRUN ${lines}; echo broken >&2; \\\n exit 3`);
      await expect(failing).rejects.toEqual(
        refusal(
          'image/build-step-failed',
          /^expected exit code 0, got 3 from: echo|^expected exit code 0, got 3 from: RUN/,
          3,
        ),
      );
      await expect(failing).rejects.toMatchObject({ hint: expect.stringMatching(/line-29\nbroken$/) });
      await expect(failing).rejects.not.toMatchObject({ hint: expect.stringContaining('line-9\n') });
    });

    it('says that a command was not found', async () => {
      await expect(build('FROM base\nRUN nosuchthing')).rejects.toEqual(
        refusal('image/build-step-failed', /got 127 \(a command was not found\)/, 2),
      );
    });

    it('runs heredocs: by the shell, or as an executable', async () => {
      const { image, sandbox } = await build('FROM base\nRUN <<EOF\necho a > /a\necho b > /b\nEOF');
      expect(await listing(image, 'a')).toEqual(['a 644 0:0 file "a\\n"']);
      expect(sandbox.runs[0]?.command).toEqual(['/bin/sh', '-c', 'echo a > /a\necho b > /b\n']);
      const failing = build('FROM base\nRUN <<X\n#!/bin/cat\nhello\nX');
      await expect(failing).rejects.toMatchObject({ hint: expect.stringContaining('/run/heredoc/X') });
    });

    it('hands over network, user, directory and environment', async () => {
      const text = 'FROM base\nUSER worker\nWORKDIR /w\nARG A=1\nENV E=$A\nRUN --network=none true\nRUN true';
      const { sandbox } = await build(text, { planOptions: { platform, buildArgs: { http_proxy: 'p' } } });
      expect(sandbox.runs.map(({ network, user, workingDir }) => [network, user, workingDir])).toEqual([
        [false, 'worker', '/w'],
        [true, 'worker', '/w'],
      ]);
      expect(sandbox.runs[0]?.environment).toMatchObject({ A: '1', E: '1', http_proxy: 'p' });
    });

    it('is aborted with the build', async () => {
      const aborter = new AbortController();
      const running = build('FROM base\nRUN echo x; sleep 600', {
        signal: aborter.signal,
        onEvent: (event) => event.kind === 'output' && aborter.abort(),
      });
      await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  describe('mounts', () => {
    it('bind the context without what is ignored, and throw away what is written', async () => {
      write({ 'in/a': '1', 'in/secret': '2' });
      const text = 'FROM base\nRUN --mount=target=/c,source=in,rw ls /c > /seen; echo x > /c/a';
      const { image } = await build(text, { dockerignore: '**/secret' });
      expect(await listing(image, 'seen')).toEqual(['seen 644 0:0 file "a\\n"']);
      expect(readFileSync(join(context, 'in/a'), 'utf8')).toBe('1');
    });

    it('run again when what they bind changes', async () => {
      write({ a: '1' });
      const text = 'FROM base\nRUN --mount=target=/c cat /c/a > /seen';
      const cache = createMemoryLayerCache();
      await build(text, { cache });
      write({ a: '2' });
      expect(await listing((await build(text, { cache })).image, 'seen')).toEqual(['seen 644 0:0 file "2"']);
    });

    it('bind a stage and an image', async () => {
      const text =
        'FROM base AS one\nRUN mkdir /o; echo 1 > /o/f\nFROM base\nRUN --mount=from=one,source=/o,target=/m --mount=from=base,target=/b cat /m/f /b/etc/group > /seen';
      const { image } = await build(text);
      expect(await listing(image, 'seen')).toEqual(['seen 644 0:0 file "1\\nroot:x:0:\\nstaff:x:50:\\n"']);
    });

    it('keep a cache from build to build, and out of the layers', async () => {
      const cacheMountsDir = join(context, 'caches');
      const of = (text: string) => `FROM base\nRUN --mount=type=cache,id=c,target=/cache ${text}`;
      const { image } = await build(of('echo kept > /cache/f'), { cacheMountsDir });
      expect(await listing(image, 'cache')).toEqual([]);
      const { image: second } = await build(of('cat /cache/f > /seen'), { cacheMountsDir });
      expect(await listing(second, 'seen')).toEqual(['seen 644 0:0 file "kept\\n"']);
    });

    it('fill a new cache from a stage', async () => {
      const text =
        'FROM base AS one\nRUN mkdir /o; echo 1 > /o/f\nFROM base\nRUN --mount=type=cache,from=one,source=/o,target=/cache cat /cache/f > /seen';
      expect(await listing((await build(text)).image, 'seen')).toEqual(['seen 644 0:0 file "1\\n"']);
    });
  });

  describe('secrets', () => {
    const secrets = new Map([['token', Buffer.from('hunter2-very-secret\n')]]);

    it('reach the command and nothing else', async () => {
      const text =
        'FROM base\nRUN --mount=type=secret,id=token,target=/t --mount=type=secret,id=token,env=TOKEN echo $(cat /t) $TOKEN';
      const { image, events, sandbox } = await build(text, { secrets });
      expect(output(events)).toMatch(/^\*\*\* \*\*\*\n+$/);
      expect(sandbox.runs[0]?.environment.TOKEN).toBe('hunter2-very-secret\n');
      expect(Buffer.from(image.configBytes).toString()).not.toContain('hunter2');
      expect((await listing(image)).join()).not.toContain('hunter2');
    });

    it('are taken out of the error too', async () => {
      const failing = build('FROM base\nRUN --mount=type=secret,id=token cat /run/secrets/token; exit 1', { secrets });
      await expect(failing).rejects.toMatchObject({ hint: 'its last output was:\n***' });
    });

    it('are no part of the key', async () => {
      const cache = createMemoryLayerCache();
      const text = 'FROM base\nRUN --mount=type=secret,id=token echo x > /x';
      await build(text, { cache, secrets });
      const { events } = await build(text, { cache, secrets: new Map([['token', Buffer.from('another')]]) });
      expect(outcomes(events)).toEqual(['cached']);
    });

    it('are asked for before anything runs where they are required', async () => {
      const sandbox = createFakeBuildSandbox();
      const text = 'FROM base\nRUN echo 1\nRUN --mount=type=secret,id=token,required true';
      await expect(build(text, { sandbox })).rejects.toEqual(
        refusal('image/bad-dockerfile', /expected the secret "token"/, 3),
      );
      expect(sandbox.runs).toEqual([]);
    });
  });

  describe('COPY and ADD', () => {
    it('put heredocs, with variables and without', async () => {
      const text = 'FROM base\nENV N=you\nCOPY <<one <<"two" /d/\nhi "$N"\none\n$N\ntwo';
      expect(await listing((await build(text)).image, 'd')).toEqual([
        'd 755 0:0 directory ""',
        'd/one 644 0:0 file "hi \\"you\\"\\n"',
        'd/two 644 0:0 file "$N\\n"',
      ]);
    });

    it('leave out what --exclude names', async () => {
      write({ 's/a.txt': '1', 's/b.md': '2', 's/t/c.md': '3', 's/t/d.txt': '4', 'x.md': '5', 'x.txt': '6' });
      const text = 'FROM base\nCOPY --exclude=**/*.md s /n\nCOPY --exclude=*.md x.* /n/';
      const { image } = await build(text);
      expect((await listing(image, 'n/')).map((line) => line.split(' ')[0])).toEqual([
        'n/a.txt',
        'n/t',
        'n/t/d.txt',
        'n/x.txt',
      ]);
    });

    it('keep the directories for --parents, from the pivot on', async () => {
      write({ 'a/b/c.txt': '1', 'a/b/d.txt': '2' });
      const { image } = await build('FROM base\nCOPY --parents a/b/c.txt /x/\nCOPY --parents a/./b/*.txt /y/');
      expect(
        (await listing(image)).map((line) => line.split(' ')[0]).filter((path) => /^[xy]\/.*txt/.test(path ?? '')),
      ).toEqual(['x/a/b/c.txt', 'y/b/c.txt', 'y/b/d.txt']);
    });

    it('take ** for any number of directories with --parents, and for * without', async () => {
      write({ 'p/package.json': '1', 'p/a/package.json': '2', 'p/a/b/package.json': '3', 'p/a/b/x.js': '4' });
      const { image } = await build('FROM base\nCOPY --parents p/**/package.json /x/\nCOPY p/**/package.json /y/');
      expect(
        (await listing(image)).map((line) => line.split(' ')[0]).filter((path) => /json$/.test(path ?? '')),
      ).toEqual(['x/p/a/b/package.json', 'x/p/a/package.json', 'x/p/package.json', 'y/package.json']);
    });

    it('never follow a link out of the context', async () => {
      symlinkSync('/etc/passwd', join(context, 'abs'));
      symlinkSync('../../../../etc/passwd', join(context, 'rel'));
      symlinkSync('/', join(context, 'root'));
      write({ 'etc/passwd': 'of the context' });
      const { image } = await build(
        'FROM base\nCOPY abs /a\nCOPY rel /r\nCOPY root/etc/passwd /p\nCOPY ../../etc/passwd /q',
      );
      expect((await listing(image)).filter((line) => /^[arpq] /.test(line))).toEqual(
        ['a', 'p', 'q', 'r'].map((name) => `${name} 644 0:0 file "of the context"`),
      );
    });

    it('unpack local archives', async () => {
      const members = [
        directory('d', { mode: 0o700 }),
        file('d/f', 'x', { uid: 5, mode: 0o4755 }),
        symlink('l', 'd/f'),
      ];
      const packed = await (await toLayer(members)).open();
      writeFileSync(join(context, 'a.tgz'), Buffer.concat(await Array.fromAsync(packed)));
      write({ 'b.tar': 'no archive' });
      const { image } = await build('FROM base\nADD --chmod=600 a.tgz b.tar /new/');
      expect(await listing(image, 'new/')).toEqual([
        'new/b.tar 600 0:0 file "no archive"',
        'new/d 700 0:0 directory ""',
        'new/d/f 4755 5:0 file "x"',
        'new/l 777 0:0 symlink "d/f"',
      ]);
    });

    it('refuse archives that lead out of the root', async () => {
      const packed = await (await toLayer([file('../../evil', 'x')])).open();
      writeFileSync(join(context, 'a.tgz'), Buffer.concat(await Array.fromAsync(packed)));
      await expect(build('FROM base\nADD a.tgz /n/')).rejects.toEqual(
        refusal('image/unsafe-layer', /leads out of the root/, 2),
      );
    });

    it.each([
      [
        'a file that is not there',
        'COPY nothing /x',
        'image/bad-dockerfile',
        /expected nothing in the build context, got no such file/,
      ],
      ['what is ignored', 'COPY ignored /x', 'image/bad-dockerfile', /expected ignored in the build context/],
      [
        'a user that is not there',
        'COPY --chown=nobody a /x',
        'image/bad-dockerfile',
        /expected the user "nobody" in \/etc\/passwd/,
      ],
      [
        'a group that is not there',
        'COPY --chown=0:none a /x',
        'image/bad-dockerfile',
        /expected the group "none" in \/etc\/group/,
      ],
      [
        'several files to a file',
        'COPY a b /x',
        'image/bad-dockerfile',
        /expected the destination of several files to be a directory/,
      ],
      [
        'a directory over a file',
        'COPY d /etc/passwd',
        'image/bad-dockerfile',
        /expected a directory at \/etc\/passwd/,
      ],
      [
        'a file over a directory',
        'COPY d /',
        'image/bad-dockerfile',
        /cannot copy the file d\/etc over the directory \/etc/,
      ],
      ['a device or socket', 'COPY sockets /x', 'image/context-escape', /got a device or socket at sockets\/s/],
      ['a URL in a variable', 'COPY $URL /x', 'image/unsupported-instruction', /COPY of the URL http:\/\/h\/f/],
      ['what was not fetched', 'ADD $URL /x', 'image/not-found', /fetches from http:\/\/h\/f was not given/],
      ['nothing for a required variable', 'COPY ${NONE:?say-which} /x', 'image/bad-dockerfile', /^NONE: say-which$/],
    ])('refuse %s', async (_what, line, code, message) => {
      write({ a: '1', b: '2', ignored: '3', 'd/etc': '4', 'sockets/f': '5' });
      const server = createServer().listen(join(context, 'sockets/s'));
      try {
        const text = `FROM base\nENV URL=http://h/f\n${line}`;
        await expect(build(text, { dockerignore: 'ignored' })).rejects.toEqual(refusal(code, message, 3));
      } finally {
        server.close();
      }
    });

    it('take a wildcard that matches nothing for nothing', async () => {
      const { image } = await build('FROM base\nCOPY *.none /x/');
      expect(await listing(image, 'x')).toEqual([]);
    });
  });

  describe('stages', () => {
    it('run the ONBUILD triggers of the base image, once', async () => {
      write({ a: '1' });
      const bases = new Map([
        ['base', await baseImage({ OnBuild: ['COPY a /a', 'RUN echo $V > /v', 'ENV T=1'], Env: ['V=v', 'PATH=/bin'] })],
      ]);
      const { image, events } = await build('FROM base\nRUN echo $T > /t', { bases });
      expect((await listing(image)).filter((line) => /^[avt] /.test(line))).toEqual([
        'a 644 0:0 file "1"',
        't 644 0:0 file "1\\n"',
        'v 644 0:0 file "v\\n"',
      ]);
      expect(image.config.config?.OnBuild).toBeUndefined();
      expect(events[0]).toMatchObject({ step: { number: 1, total: 4, line: 1 } });
    });

    it('end together when one fails, and the failure is what is told', async () => {
      const text =
        'FROM base AS bad\nRUN exit 9\nFROM base AS slow\nRUN sleep 600\nFROM base\nCOPY --from=bad /x /\nCOPY --from=slow /x /';
      await expect(build(text)).rejects.toEqual(refusal('image/build-step-failed', /got 9/, 2));
    });

    it('that wait for each other in mounts do not wait for ever', async () => {
      const stages = Array.from(
        { length: 12 },
        (_, at) =>
          `FROM base AS s${at}\nRUN --mount=from=${at === 0 ? 'base' : `s${at - 1}`},target=/m echo ${at} > /f`,
      );
      const { image } = await build(stages.join('\n'));
      expect(await listing(image, 'f')).toEqual(['f 644 0:0 file "11\\n"']);
    });

    it('are not built where the target does not need them', async () => {
      const { sandbox } = await build('FROM base AS no\nRUN exit 1\nFROM base\nRUN true');
      expect(sandbox.runs).toHaveLength(1);
    });
  });

  it.each<[string, Partial<Omit<BuildOptions, 'plan'>>, string, RegExp]>([
    ['a base that was not given', { bases: new Map() }, 'image/not-found', /the image base was not given/],
    [
      'a context that was not given',
      { contextDir: undefined as never },
      'image/bad-dockerfile',
      /expected a build context, got none/,
    ],
  ])('refuses to start without %s', async (_what, options, code, message) => {
    await expect(build('FROM base\nCOPY a /a', options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('refuses a base of another platform', async () => {
    const planOptions = { platform: { os: 'linux', architecture: 'arm64' } };
    await expect(build('FROM base', { planOptions })).rejects.toEqual(
      refusal('image/no-platform', /expected base for linux\/arm64, got linux\/amd64/, 1),
    );
  });
});

const unreadableLayer = (layer: Layer | undefined): Layer | undefined =>
  layer && { ...layer, open: () => Promise.reject(new Error('a layer was read')) };
