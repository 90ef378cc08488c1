import { imageError } from '../../errors.ts';
import { parseFlags } from './flags.ts';
import { parseHealthCheck } from './health-check.ts';
import { heredocText, toHeredoc } from './heredoc.ts';
import type { ArgPair, CommandLine, CopyInstruction, Instruction, Pair, RunInstruction } from './instructions.ts';
import { parseJsonForm } from './json-form.ts';
import type { InstructionLine } from './lines.ts';
import { splitWords } from './words.ts';

type Parsed<T = Instruction> = T extends unknown ? Omit<T, 'line' | 'endLine' | 'text'> : never;
type Parser = (line: InstructionLine, escapeChar: string) => Parsed;

/** From the keyword to the parser of what follows it. */
export const parsers: Readonly<Record<string, Parser>> = {
  FROM: parseFrom,
  ARG: (line, escapeChar) => ({ kind: 'arg', pairs: parseArgs(line, escapeChar) }),
  ENV: (line, escapeChar) => ({ kind: 'env', pairs: parsePairs(line, escapeChar) }),
  LABEL: (line, escapeChar) => ({ kind: 'label', pairs: parsePairs(line, escapeChar) }),
  RUN: parseRun,
  COPY: parseCopy,
  ADD: parseCopy,
  CMD: (line) => ({ kind: 'cmd', command: parseCommand(noFlags(line)) }),
  ENTRYPOINT: (line) => ({ kind: 'entrypoint', command: parseCommand(noFlags(line)) }),
  SHELL: parseShell,
  WORKDIR: (line) => ({ kind: 'workdir', path: required(line) }),
  USER: (line) => ({ kind: 'user', user: required(line) }),
  STOPSIGNAL: (line) => ({ kind: 'stopsignal', signal: required(line) }),
  MAINTAINER: (line) => ({ kind: 'maintainer', name: required(line) }),
  EXPOSE: (line) => ({ kind: 'expose', ports: required(line).split(/\s+/).sort() }),
  VOLUME: (line) => ({ kind: 'volume', paths: parseList(noFlags(line)) }),
  HEALTHCHECK: (line) => ({ kind: 'healthcheck', check: parseHealthCheck(line) }),
  ONBUILD: parseOnbuild,
};

const bad = (message: string) => imageError('image/bad-dockerfile', message);

function noFlags(line: InstructionLine): InstructionLine {
  parseFlags(line.keyword, line.flags, {});
  if (line.rest === '') throw bad(`expected an argument after ${line.keyword}`);
  return line;
}

const required = (line: InstructionLine) => noFlags(line).rest;

function parseCommand(line: InstructionLine): CommandLine {
  const words = parseJsonForm(line);
  return words ? { form: 'exec', words } : { form: 'shell', words: [line.rest] };
}

function parseList(line: InstructionLine): string[] {
  const paths = parseJsonForm(line) ?? line.rest.split(/\s+/);
  if (paths.length === 0) throw bad(`expected paths after ${line.keyword}, got none`);
  if (paths.some((path) => path.trim() === '')) throw bad(`expected paths after ${line.keyword}, got an empty one`);
  return paths;
}

function parseFrom(line: InstructionLine): Parsed {
  const platform = parseFlags('FROM', line.flags, { text: ['platform'] }).text('platform');
  const [base = '', as, name, ...more] = line.rest.split(/\s+/);
  if (base === '' || more.length > 0 || (as !== undefined && (as.toLowerCase() !== 'as' || name === undefined))) {
    throw bad(`expected FROM image [AS name], got "${line.text}"`);
  }
  const stage = name?.toLowerCase();
  if (stage !== undefined && !/^[a-z][a-z0-9\-_.]*$/.test(stage)) {
    throw bad(`expected a stage name of letters, digits, "-", "_" and "." that starts with a letter, got "${name}"`);
  }
  return { kind: 'from', base, ...(stage && { name: stage }), ...(platform !== undefined && { platform }) };
}

function parseArgs(line: InstructionLine, escapeChar: string): ArgPair[] {
  return splitWords(noFlags(line).rest, escapeChar).map((word) => {
    const equals = word.indexOf('=');
    if (equals === 0) throw bad(`expected a name before "=" in ARG ${word}`);
    return equals < 0 ? { name: word } : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}

/** `name=value …`, or the old form `name value` with one space or more between them. */
function parsePairs(line: InstructionLine, escapeChar: string): Pair[] {
  const words = splitWords(noFlags(line).rest, escapeChar);
  if (!words[0]?.includes('=')) {
    const [, name, value] = /^(\S+)[\t\v\f\r ]+([\s\S]*)$/.exec(line.rest) ?? [];
    if (name === undefined || value === undefined) throw bad(`expected ${line.keyword} name=value, got "${line.rest}"`);
    return [{ name, value }];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals <= 0) throw bad(`expected ${line.keyword} name=value, got "${word}"`);
    return { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}

function parseRun(line: InstructionLine): Parsed<RunInstruction> {
  const flags = parseFlags('RUN', line.flags, { list: ['mount'], text: ['network', 'security', 'device'] });
  const network = flags.text('network') ?? 'default';
  if (network !== 'default' && network !== 'none' && network !== 'host') {
    throw bad(`expected RUN --network to be default, none or host, got "${network}"`);
  }
  for (const name of ['security', 'device']) {
    const value = flags.text(name);
    if (value === undefined || (name === 'security' && value === 'sandbox')) continue;
    throw imageError('image/unsupported-instruction', `RUN --${name}=${value} is not supported`);
  }
  if (line.rest === '') throw bad('expected a command after RUN');
  return { kind: 'run', mounts: flags.list('mount'), network, ...parseRunCommand(line) };
}

function parseRunCommand(line: InstructionLine): Pick<RunInstruction, 'command' | 'script'> {
  const [first] = line.heredocs;
  if (!first) return { command: parseCommand(line) };
  if (!toHeredoc(line.rest)) {
    const parts = line.heredocs.map((doc) => `\n${doc.content}${doc.name}`);
    return { command: { form: 'shell', words: [line.rest + parts.join('')] } };
  }
  const content = heredocText(first);
  const command = { form: 'shell', words: [content] } as const;
  return content.startsWith('#!') ? { command, script: { name: first.name, content } } : { command };
}

const copyFlags = { text: ['chown', 'chmod'], bool: ['link'], list: ['exclude'] };

function parseCopy(line: InstructionLine): Parsed<CopyInstruction> {
  const isAdd = line.keyword === 'ADD';
  const flags = parseFlags(line.keyword, line.flags, {
    text: [...copyFlags.text, ...(isAdd ? ['checksum'] : ['from'])],
    bool: [...copyFlags.bool, ...(isAdd ? ['unpack', 'keep-git-dir'] : ['parents'])],
    list: copyFlags.list,
  });
  const words = parseJsonForm(line) ?? line.rest.split(/\s+/).filter((word) => word !== '');
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2)
    throw bad(`expected ${line.keyword} source … destination, got "${line.rest}"`);
  if (toHeredoc(destination)) throw bad(`expected a path as the destination of ${line.keyword}, got a heredoc`);
  const sources = words.slice(0, -1);
  const unpack = flags.bool('unpack');
  const text = (name: string) => {
    const value = flags.text(name);
    return value === undefined ? {} : { [name]: value };
  };
  return {
    kind: isAdd ? 'add' : 'copy',
    ...{ sources: sources.filter((word) => !toHeredoc(word)), inline: toInline(sources, line), destination },
    ...{ ...text('from'), ...text('chown'), ...text('chmod'), ...text('checksum') },
    excludes: flags.list('exclude'),
    link: flags.bool('link') ?? false,
    parents: flags.bool('parents') ?? false,
    keepGitDir: flags.bool('keep-git-dir') ?? false,
    ...(unpack !== undefined && { unpack }),
  };
}

function toInline(sources: readonly string[], line: InstructionLine): CopyInstruction['inline'] {
  return sources.flatMap((word) => {
    const name = toHeredoc(word)?.name;
    const doc = line.heredocs.find((each) => each.name === name);
    return doc ? [{ name: doc.name, content: heredocText(doc), expand: doc.expand }] : [];
  });
}

function parseShell(line: InstructionLine): Parsed {
  const command = parseJsonForm(noFlags(line));
  if (!command || command.length === 0) throw bad(`expected SHELL ["executable", "argument", …], got "${line.rest}"`);
  return { kind: 'shell', command };
}

function parseOnbuild(line: InstructionLine): Parsed {
  const keyword = /^\S*/.exec(required(line))?.[0].toUpperCase() ?? '';
  if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(keyword)) throw bad(`${keyword} cannot be an ONBUILD trigger`);
  if (!Object.hasOwn(parsers, keyword)) throw bad(`unknown instruction ${keyword} in ONBUILD`);
  const docs = line.heredocs.map((doc) => `\n${doc.content}${doc.name}`);
  return { kind: 'onbuild', trigger: line.rest + docs.join('') };
}
