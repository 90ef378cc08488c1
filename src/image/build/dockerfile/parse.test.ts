import { describe, expect, it } from 'vitest';
import { parseDockerfile } from './parse.ts';
import { createProblems, throwProblems } from './problems.ts';

function parseAll(text: string, fileName = 'Dockerfile') {
  const problems = createProblems(fileName);
  const dockerfile = parseDockerfile(text, problems);
  throwProblems(problems);
  return dockerfile;
}

/** The instructions without their places. */
function parse(text: string) {
  return parseAll(text).instructions.map(({ line: _line, endLine: _end, text: _text, ...rest }) => rest);
}

const shell = (...words: string[]) => ({ form: 'shell', words });
const exec = (...words: string[]) => ({ form: 'exec', words });
const run = (command: object, more: object = {}) => ({ kind: 'run', mounts: [], network: 'default', command, ...more });
const copy = (more: object) => ({
  ...{ kind: 'copy', sources: [], inline: [], excludes: [], link: false, parents: false, keepGitDir: false },
  ...more,
});

describe('parseDockerfile', () => {
  it.each<[string, string, object]>([
    ['FROM', 'FROM a:b', { kind: 'from', base: 'a:b' }],
    ['FROM AS', 'from --platform=$P  a  as  Build', { kind: 'from', base: 'a', name: 'build', platform: '$P' }],
    [
      'ARG',
      'ARG a b="c d" e=',
      { kind: 'arg', pairs: [{ name: 'a' }, { name: 'b', value: '"c d"' }, { name: 'e', value: '' }] },
    ],
    [
      'ENV',
      `ENV A="x y" B=\\ z 'C'=d`,
      {
        kind: 'env',
        pairs: [
          { name: 'A', value: '"x y"' },
          { name: 'B', value: '\\ z' },
          { name: "'C'", value: 'd' },
        ],
      },
    ],
    ['the old form of ENV', 'ENV old  style value', { kind: 'env', pairs: [{ name: 'old', value: 'style value' }] }],
    ['LABEL', 'LABEL a.b=c', { kind: 'label', pairs: [{ name: 'a.b', value: 'c' }] }],
    ['RUN', 'RUN  echo  "a  b" && x', run(shell('echo  "a  b" && x'))],
    ['exec form', 'RUN ["a", "b c"]', run(exec('a', 'b c'))],
    ['what only looks like exec form', 'RUN [ -f x ] && y', run(shell('[ -f x ] && y'))],
    [
      'flags of RUN',
      'RUN --mount=type=tmpfs,target=/t --network=none x',
      run(shell('x'), { mounts: ['type=tmpfs,target=/t'], network: 'none' }),
    ],
    [
      'COPY',
      'COPY --from=b --chown=1:2 --chmod=755 --link a b /d/',
      copy({ sources: ['a', 'b'], destination: '/d/', from: 'b', chown: '1:2', chmod: '755', link: true }),
    ],
    ['COPY with spaces', 'COPY ["a b", "/c d"]', copy({ sources: ['a b'], destination: '/c d' })],
    [
      'COPY --exclude',
      'COPY --exclude=*.md --exclude=x . /d',
      copy({ sources: ['.'], destination: '/d', excludes: ['*.md', 'x'] }),
    ],
    ['ADD', 'ADD a.tar /d', copy({ kind: 'add', sources: ['a.tar'], destination: '/d' })],
    [
      'flags of ADD',
      'ADD --unpack=false --keep-git-dir --checksum=sha256:ab https://h/r.git /d',
      copy({
        ...{ kind: 'add', sources: ['https://h/r.git'], destination: '/d' },
        ...{ unpack: false, keepGitDir: true, checksum: 'sha256:ab' },
      }),
    ],
    ['CMD', 'CMD echo hi', { kind: 'cmd', command: shell('echo hi') }],
    ['ENTRYPOINT', 'ENTRYPOINT ["a"]', { kind: 'entrypoint', command: exec('a') }],
    ['SHELL', 'SHELL ["/bin/bash", "-c"]', { kind: 'shell', command: ['/bin/bash', '-c'] }],
    ['WORKDIR with spaces', 'WORKDIR /a b', { kind: 'workdir', path: '/a b' }],
    ['EXPOSE', 'EXPOSE 9 80/udp', { kind: 'expose', ports: ['80/udp', '9'] }],
    ['VOLUME', 'VOLUME ["/a", "/b c"]', { kind: 'volume', paths: ['/a', '/b c'] }],
    [
      'HEALTHCHECK',
      'HEALTHCHECK --interval=1m30s --retries=3 CMD curl x',
      { kind: 'healthcheck', check: { Test: ['CMD-SHELL', 'curl x'], Interval: 90e9, Retries: 3 } },
    ],
    ['HEALTHCHECK NONE', 'HEALTHCHECK none', { kind: 'healthcheck', check: { Test: ['NONE'] } }],
    ['ONBUILD', 'ONBUILD COPY . /x', { kind: 'onbuild', trigger: 'COPY . /x' }],
    ['STOPSIGNAL', 'STOPSIGNAL SIGTERM', { kind: 'stopsignal', signal: 'SIGTERM' }],
    ['MAINTAINER', 'MAINTAINER A B <a@b>', { kind: 'maintainer', name: 'A B <a@b>' }],
  ])('reads %s', (_what, text, expected) => {
    expect(parse(text)).toEqual([expected]);
  });

  it('joins continuations, with comments and empty lines between them', () => {
    expect(parse('RUN a && \\\n  # why\n\n    b \\\\\nRUN c \\   \n d\n')).toEqual([
      run(shell('a &&     b \\\\')),
      run(shell('c  d')),
    ]);
  });

  it('takes another escape character from the directive', () => {
    expect(parse('# escape=`\nRUN a `\n b\\\nRUN c')).toEqual([run(shell('a  b\\')), run(shell('c'))]);
  });

  it('reads no directive after a comment', () => {
    expect(parse('# hello\n# escape=`\nRUN a \\\n b')).toEqual([run(shell('a  b'))]);
  });

  it('keeps the lines of each instruction', () => {
    const { instructions } = parseAll('# c\nFROM a\n\nRUN x \\\n y\nRUN <<E\nz\nE\nCMD q\r\n');
    expect(instructions.map(({ line, endLine }) => [line, endLine])).toEqual([
      [2, 2],
      [4, 5],
      [6, 8],
      [9, 9],
    ]);
  });

  describe('heredocs', () => {
    it.each<[string, string, object]>([
      ['a script', 'RUN <<EOF\na\n  b $x\nEOF', run(shell('a\n  b $x\n'))],
      ['a script with leading tabs', 'RUN <<-EOF\n\ta\n\t\tb\n\tEOF', run(shell('a\nb\n'))],
      ['a script for another program', 'RUN python3 <<EOF\nprint(1)\nEOF', run(shell('python3 <<EOF\nprint(1)\nEOF'))],
      ['several', 'RUN cat <<A <<B > /x\n1\nA\n2\nB', run(shell('cat <<A <<B > /x\n1\nA\n2\nB'))],
      [
        'an executable',
        'RUN <<E\n#!/bin/cat\nx\nE',
        run(shell('#!/bin/cat\nx\n'), { script: { name: 'E', content: '#!/bin/cat\nx\n' } }),
      ],
      [
        'a file',
        'COPY <<EOF /f\nx $y\nEOF',
        copy({ inline: [{ name: 'EOF', content: 'x $y\n', expand: true }], destination: '/f' }),
      ],
      [
        'a quoted word',
        `COPY <<"E" /f\n$y\nE`,
        copy({ inline: [{ name: 'E', content: '$y\n', expand: false }], destination: '/f' }),
      ],
      [
        'files',
        'COPY <<a <<b c /d/\n1\na\n2\nb',
        copy({
          sources: ['c'],
          inline: [
            { name: 'a', content: '1\n', expand: true },
            { name: 'b', content: '2\n', expand: true },
          ],
          destination: '/d/',
        }),
      ],
    ])('read %s', (_what, text, expected) => {
      expect(parse(text)).toEqual([expected]);
    });

    it('are not opened by quoted text or by other instructions', () => {
      expect(parse('RUN echo "<<EOF"\nCMD cat <<EOF\nENV a=<<b')).toHaveLength(3);
    });

    it('go along in an ONBUILD trigger', () => {
      expect(parse('ONBUILD RUN <<E\nx\nE')).toEqual([{ kind: 'onbuild', trigger: 'RUN <<E\nx\nE' }]);
    });
  });

  it.each([
    'docker/dockerfile:1',
    'docker/dockerfile:1.7',
    'docker.io/docker/dockerfile:1.7-labs',
    'docker/dockerfile',
  ])('takes the frontend %s', (syntax) => {
    expect(parse(`# syntax=${syntax}\nFROM a`)).toHaveLength(1);
  });

  it.each([
    [
      '# syntax=evil/frontend:1\nFROM a',
      'image/unsupported-instruction',
      /the frontend "evil\/frontend:1" is not supported/,
      1,
    ],
    ['FROM a\nRNU x', 'image/bad-dockerfile', /unknown instruction RNU/, 2],
    ['FROM a b c', 'image/bad-dockerfile', /expected FROM image \[AS name\]/, 1],
    ['FROM a AS 1x', 'image/bad-dockerfile', /expected a stage name/, 1],
    ['FROM a\nENV x', 'image/bad-dockerfile', /expected ENV name=value/, 2],
    ['FROM a\nCOPY x', 'image/bad-dockerfile', /expected COPY source … destination/, 2],
    ['FROM a\nCOPY --form=b x /y', 'image/bad-dockerfile', /COPY has no flag --form/, 2],
    ['FROM a\nRUN <<EOF\nx', 'image/bad-dockerfile', /expected the heredoc to end with a line "EOF"/, 2],
    [
      'FROM a\nRUN --security=insecure x',
      'image/unsupported-instruction',
      /RUN --security=insecure is not supported/,
      2,
    ],
    ['FROM a\nCMD ["a", 1]', 'image/bad-dockerfile', /expected only strings/, 2],
    ['FROM a\nSHELL sh -c', 'image/bad-dockerfile', /expected SHELL \["executable"/, 2],
    ['FROM a\nONBUILD FROM b', 'image/bad-dockerfile', /FROM cannot be an ONBUILD trigger/, 2],
    ['FROM a\nHEALTHCHECK --interval=1 CMD x', 'image/bad-dockerfile', /expected a duration/, 2],
    ['FROM a\nRUN', 'image/bad-dockerfile', /expected a command after RUN/, 2],
    ['# escape=x\nFROM a', 'image/bad-dockerfile', /expected the escape directive/, 1],
    ['', 'image/bad-dockerfile', /got an empty Dockerfile/, 1],
  ])('refuses %j', (text, code, message, line) => {
    const refused = expect.objectContaining({
      code,
      message: expect.stringMatching(message),
      where: { file: 'D', line },
    });
    expect(() => parseAll(text, 'D')).toThrow(refused);
  });

  it('tells all problems at once, and what may be meant', () => {
    const message =
      'D has 2 problems: line 2: unknown instruction RNU (did you mean "RUN"?); line 4: COPY has no flag --form (did you mean "from"?)';
    const refused = expect.objectContaining({ message });
    expect(() => parseAll('FROM a\nRNU x\nRUN y\nCOPY --form=x a b', 'D')).toThrow(refused);
  });
});
