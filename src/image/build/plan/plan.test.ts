// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { describe, expect, it } from 'vitest';
import type { PlanOptions } from './model.ts';
import { planBuild } from './plan.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const plan = (text: string, options: PlanOptions = {}) => planBuild(text, { platform, fileName: 'D', ...options });
const references = (text: string, options?: PlanOptions) => plan(text, options).bases.map(({ reference }) => reference);

describe('planBuild', () => {
  it.each<[string, string, PlanOptions, string[]]>([
    ['a base', 'FROM debian:12', {}, ['debian:12']],
    ['scratch', 'FROM scratch', {}, []],
    ['a global ARG', 'ARG V=12\nFROM debian:$V', {}, ['debian:12']],
    ['a build argument', 'ARG V=12\nFROM debian:${V}-slim', { buildArgs: { V: '13' } }, ['debian:13-slim']],
    ['an ARG made of others', 'ARG A=deb\nARG B=${A}ian:${C:-12}\nFROM $B', {}, ['debian:12']],
    ['automatic arguments', 'FROM img-$TARGETARCH-$TARGETOS', {}, ['img-amd64-linux']],
    ['the platform of the target', 'FROM --platform=$TARGETPLATFORM a', {}, ['a']],
    ['COPY --from', 'FROM a\nCOPY --from=b:1 /x /y', {}, ['a', 'b:1']],
    ['a mount', 'FROM a\nRUN --mount=from=b,target=/b x', {}, ['a', 'b']],
    ['stages', 'FROM a AS one\nFROM b AS two\nCOPY --from=one /x /y\nFROM two', {}, ['b', 'a']],
    ['a stage by number', 'FROM a\nFROM b\nCOPY --from=0 /x /y', {}, ['b', 'a']],
    ['only what the target needs', 'FROM a AS one\nFROM b AS two\nFROM c AS three', { target: 'TWO' }, ['b']],
    ['a target by number', 'FROM a\nFROM b', { target: '0' }, ['a']],
    ['a stage named as an image', 'FROM a AS b\nFROM b', {}, ['a']],
    ['a stage that has its image’s name', 'FROM debian AS debian\nFROM debian', {}, ['debian']],
  ])('finds the bases of %s', (_what, text, options, expected) => {
    expect(references(text, options)).toEqual(expected);
  });

  it('puts the ONBUILD triggers of an earlier stage first', () => {
    const { stages } = plan('FROM a AS one\nONBUILD RUN trigger\nRUN own\nFROM one\nRUN x');
    expect(stages[1]?.instructions.map(({ kind, line }) => [kind, line])).toEqual([
      ['run', 4],
      ['run', 5],
    ]);
  });

  it.each([
    ['FROM a\nCOPY x /y', true],
    ['FROM a\nRUN --mount=target=/c ls', true],
    ['FROM a\nCOPY --from=b x /y', false],
    ['FROM a\nCOPY <<E /f\nx\nE', false],
    ['FROM a\nRUN --mount=type=cache,target=/c ls', false],
    ['FROM a AS x\nCOPY . .\nFROM b', false],
  ])('knows whether %j needs a context', (text, expected) => {
    expect(plan(text).usesContext).toBe(expected);
  });

  it('lists the secrets', () => {
    const { secrets } = plan('FROM a\nRUN --mount=type=secret,id=t,required x\nRUN --mount=type=secret,target=/k/pw y');
    expect(secrets).toEqual([
      { id: 't', required: true, line: 2 },
      { id: 'pw', required: false, line: 3 },
    ]);
  });

  it('takes predefined arguments that no ARG declares', () => {
    const buildArgs = { HTTP_PROXY: 'http://p', no_proxy: 'x', TARGETARCH: 'arm', SOURCE_DATE_EPOCH: '1' };
    expect(references('FROM a-$TARGETARCH', { buildArgs })).toEqual(['a-arm']);
  });

  type Refusal = [string, string, PlanOptions, RegExp, { line?: number; hint?: RegExp; code?: string }];
  it.each<Refusal>([
    ['no FROM', 'ARG x', {}, /expected a FROM/, { line: 1 }],
    ['an instruction before FROM', 'RUN x\nFROM a', {}, /expected FROM or ARG first, got RUN/, { line: 1 }],
    ['a base without a name', 'ARG V\nFROM $V', {}, /got "\$V", which is empty/, { line: 2, hint: /give the ARG/ }],
    ['a base that is no reference', 'FROM Debian', {}, /Debian/, { line: 1 }],
    [
      'another platform',
      'FROM --platform=linux/arm64 a',
      {},
      /--platform=linux\/arm64 is not supported/,
      { line: 1, code: 'image/unsupported-instruction' },
    ],
    [
      'an unknown argument',
      'ARG VERSION\nFROM a',
      { buildArgs: { VERSOIN: '1' } },
      /VERSOIN is not declared/,
      { hint: /"VERSION"/ },
    ],
    [
      'an unknown target',
      'FROM a AS build',
      { target: 'biuld' },
      /"biuld" is not in the Dockerfile/,
      { hint: /"build"/ },
    ],
    [
      'a later stage',
      'FROM a\nCOPY --from=two x y\nFROM b AS two\nFROM b\nCOPY --from=0 x y',
      {},
      /expected an earlier stage, got "two", which starts on line 3/,
      { line: 2 },
    ],
    ['a number out of range', 'FROM a\nCOPY --from=3 x y', {}, /expected the number of an earlier stage/, { line: 2 }],
    [
      'a variable in --from',
      'FROM a\nCOPY --from=$X x y',
      {},
      /expected no variable/,
      { line: 2, hint: /FROM \$VARIABLE AS/ },
    ],
    ['bad syntax of a variable', 'FROM a\nENV x=${y', {}, /expected "}"/, { line: 2 }],
    [
      'a bad mount',
      'FROM a\nRUN --mount=type=bnd,target=/x y',
      {},
      /unknown mount type "bnd"/,
      { line: 2, hint: /"bind"/ },
    ],
    [
      'an option of another mount',
      'FROM a\nRUN --mount=type=bind,target=/x,uid=1 y',
      {},
      /a bind mount has no option "uid"/,
      { line: 2 },
    ],
    [
      'ssh',
      'FROM a\nRUN --mount=type=ssh y',
      {},
      /type=ssh is not supported/,
      { line: 2, code: 'image/unsupported-instruction' },
    ],
    [
      'COPY of a URL',
      'FROM a\nCOPY https://x/y?token=abc /z',
      {},
      /^COPY of the URL https:\/\/x\/y\?token=\*\*\* is not supported$/,
      { line: 2, hint: /^ADD fetches/, code: 'image/unsupported-instruction' },
    ],
    ...['ftp://x/y', 'file:///etc/passwd', 's3://b/k'].map(
      (url): Refusal => [
        `ADD of ${url}`,
        `FROM a\nADD ${url} /z`,
        {},
        /^ADD of \S+ is not supported: expected an http or https URL, or a git repository$/,
        { line: 2, hint: /build context/, code: 'image/unsupported-instruction' },
      ],
    ),
    ...['https://me:pw@x/y', 'https://me@x/y', 'https://me:pw@x/y.git#main'].map(
      (url): Refusal => [
        `credentials in ${url}`,
        `FROM a\nADD ${url} /z`,
        {},
        /^expected a URL without credentials to ADD, got https:\/\/\*\*\*@x\/y/,
        { line: 2, hint: /type=secret/ },
      ],
    ),
    [
      'a password for a repository',
      'FROM a\nADD ssh://me:pw@x/y.git /z',
      {},
      /^ADD of ssh:\/\/\*\*\*@x\/y\.git: expected a URL without a password, got one with it$/,
      { line: 2 },
    ],
    [
      'a ref that is none',
      'FROM a\nADD git@x.y:z.git#--upload-pack=evil /z',
      {},
      /expected a branch, tag or commit after "#"/,
      { line: 2 },
    ],
    [
      'a repository with a query',
      'FROM a\nADD https://x/y.git?ref=main /z',
      {},
      /expected a repository without a query, got \?ref=main$/,
      { line: 2, hint: /#ref:subdir/ },
    ],
    ['a URL that is none', 'FROM a\nADD http://x:y /z', {}, /^expected a URL to ADD, got "http:\/\/x:y"$/, { line: 2 }],
    [
      'a checksum of the context',
      `FROM a\nADD --checksum=sha256:${'0'.repeat(64)} a /z`,
      {},
      /^expected ADD --checksum of one URL or git repository$/,
      { line: 2 },
    ],
    [
      'a checksum of two',
      `FROM a\nADD --checksum=sha256:${'0'.repeat(64)} http://x/a http://x/b /z/`,
      {},
      /^expected ADD --checksum of one URL or git repository$/,
      { line: 2 },
    ],
    [
      'a checksum that is none',
      'FROM a\nADD --checksum=md5:0 http://x/a /z\nADD --checksum=v1 http://x/a.git /z',
      {},
      /^D has 2 problems: line 2: .*=sha256: and 64 hex digits, got "md5:0"; line 3: .*=the first digits of a commit, got "v1"$/,
      { line: 2 },
    ],
    ['a bad pattern', 'FROM a\nCOPY [a /z/', {}, /expected a pattern/, { line: 2 }],
    ['a bad mode', 'FROM a\nCOPY --chmod=999 a /z', {}, /expected --chmod to be octal/, { line: 2 }],
    ['a bad port', 'FROM a\nEXPOSE 80/http', {}, /expected EXPOSE port/, { line: 2 }],
    ['a volume without a path', 'FROM a\nVOLUME []', {}, /expected paths after VOLUME, got none/, { line: 2 }],
    [
      'a modifier that is none, in a heredoc',
      'FROM a\nCOPY <<X /x\n${N^^}\nX\nCOPY <<"X" /x\n${N^^}\nX',
      {},
      /expected a modifier .* got "\^"/,
      { line: 2 },
    ],
    ['a stage name with a variable, once', 'FROM a AS b-$X\nRUN y', {}, /^expected a stage name/, { line: 1 }],
    ['a bad signal', 'FROM a\nSTOPSIGNAL SIGFOO', {}, /unknown signal "SIGFOO"/, { line: 2 }],
  ])('refuses %s', (_what, text, options, message, { line, hint, code = 'image/bad-dockerfile' }) => {
    const refused = expect.objectContaining({
      code,
      message: expect.stringMatching(message),
      where: line === undefined ? { file: 'D' } : { file: 'D', line },
      ...(hint && { hint: expect.stringMatching(hint) }),
    });
    expect(() => plan(text, options)).toThrow(refused);
  });

  it.each([
    ['GITHUB_TOKEN', 'x', true],
    ['DB_PASSWORD', 'x', true],
    ['AWS_SECRET_ACCESS_KEY', 'x', true],
    ['APIKEY', 'x', true],
    ['INDEX_URL', 'https://me:pw@host/simple', true],
    ['HTTP_PROXY', 'http://me:pw@proxy', false],
    ['SORT_KEY', 'x', false],
    ['TWO_PASS', '1', false],
    ['TOKENIZER', 'x', false],
    ['REPOSITORY', 'https://host:80/x@y', false],
  ])('takes the build argument %s=%s for a secret: %s', (name, value, expected) => {
    const make = () => plan(`ARG ${name}\nFROM a`, { buildArgs: { [name]: value } });
    if (!expected) expect(make().bases).toHaveLength(1);
    else
      expect(make).toThrow(
        expect.objectContaining({
          message: expect.stringMatching(/looks like a secret/),
          hint: expect.stringMatching(/type=secret/),
        }),
      );
  });

  it('leaves the faults of stages alone that the target does not need', () => {
    expect(references('FROM a AS x\nADD ftp://y /z\nFROM b')).toEqual(['b']);
  });

  it('tells the faults of several lines at once', () => {
    const text = 'FROM a\nADD ftp://x /y\nRUN --mount=type=ssh z\nEXPOSE q';
    expect(() => plan(text)).toThrow(/^D has 3 problems: line 2: .*; line 3: .*; line 4: /);
  });

  it('says that a base may be meant as a stage', () => {
    expect(plan('FROM a AS build\nFROM b\nCOPY --from=biuld x y').bases[1]).toMatchObject({
      hint: 'did you mean "build"?',
    });
  });
});
