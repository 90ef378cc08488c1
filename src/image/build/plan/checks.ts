import { imageError } from '../../errors.ts';
import { redact } from '../../redact.ts';
import { parseChmod } from '../copy/chmod.ts';
import { checkPattern } from '../copy/match.ts';
import { expandWord, expandWords } from '../dockerfile/expand.ts';
import type { CopyInstruction, Instruction } from '../dockerfile/instructions.ts';
import { type Mount, parseMount } from '../dockerfile/mount.ts';
import type { Problems } from '../dockerfile/problems.ts';
import { checkChecksum, isRemote, readRemote } from './remote.ts';

const hasVariable = (text: string) => text.includes('$');

/** What can be said of one instruction before the values of its variables are known; its mounts, where they can be read. */
export function checkInstruction(instruction: Instruction, escapeChar: string, problems: Problems): readonly Mount[] {
  const { line } = instruction;
  const check = (word: string | undefined) => {
    const options = { escape: escapeChar, ignoreRequired: true };
    if (word !== undefined) problems.attempt(line, () => expandWord(word, () => undefined, options));
  };
  for (const word of wordsOf(instruction)) check(word);
  if (instruction.kind === 'copy' || instruction.kind === 'add') checkCopy(instruction, problems);
  if (instruction.kind === 'expose') {
    for (const port of instruction.ports) problems.attempt(line, () => checkPorts(port, escapeChar));
  }
  if (instruction.kind === 'stopsignal' && !hasVariable(instruction.signal)) {
    problems.attempt(line, () => checkSignal(expandWord(instruction.signal, () => undefined, { escape: escapeChar })));
  }
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap((text) => problems.attempt(line, () => parseUnexpanded(text, escapeChar)) ?? []);
}

function wordsOf(instruction: Instruction): readonly (string | undefined)[] {
  switch (instruction.kind) {
    case 'env':
    case 'label':
      return instruction.pairs.flatMap(({ name, value }) => [name, value]);
    case 'arg':
      return instruction.pairs.map(({ value }) => value);
    case 'copy':
    case 'add':
      return [
        ...instruction.sources,
        instruction.destination,
        instruction.chown,
        instruction.chmod,
        instruction.checksum,
        ...instruction.excludes,
      ];
    case 'workdir':
      return [instruction.path];
    case 'user':
      return [instruction.user];
    case 'volume':
      return instruction.paths;
    case 'stopsignal':
      return [instruction.signal];
    default:
      return [];
  }
}

/** Variables may stand for anything: where there are any, only what does not depend on them is checked. */
function parseUnexpanded(text: string, escapeChar: string): Mount {
  if (!hasVariable(text)) return parseMount(text, (word) => expandWord(word, () => undefined, { escape: escapeChar }));
  const from = /(?:^|,)from=([^,]*)/.exec(text)?.[1];
  return parseMount(`type=bind,target=/variable${from === undefined ? '' : `,from=${from}`}`, (word) => word);
}

function checkCopy(copy: CopyInstruction, problems: Problems): void {
  const keyword = copy.kind.toUpperCase();
  for (const source of copy.sources) {
    if (!isRemote(source)) {
      if (!hasVariable(source)) problems.attempt(copy.line, () => checkPattern(source));
    } else if (copy.kind === 'copy') problems.attempt(copy.line, () => refuseRemote(source));
    else if (!hasVariable(source)) problems.attempt(copy.line, () => readRemote(source));
  }
  for (const { content, expand } of copy.inline) {
    const options = { quotesAreText: true, ignoreRequired: true };
    if (expand) problems.attempt(copy.line, () => expandWord(content, () => undefined, options));
  }
  if (copy.checksum !== undefined) problems.attempt(copy.line, () => checkUnexpandedChecksum(copy));
  if (copy.from !== undefined && hasVariable(copy.from)) {
    const hint = 'name a stage with FROM $VARIABLE AS name, and copy from that';
    problems.report(copy.line, `expected no variable in ${keyword} --from=${copy.from}`, hint);
  }
  const { chmod } = copy;
  if (chmod !== undefined && !hasVariable(chmod)) problems.attempt(copy.line, () => parseChmod(chmod));
}

export function refuseRemote(source: string): never {
  throw imageError('image/unsupported-instruction', `COPY of the URL ${redact(source)} is not supported`, {
    hint: 'ADD fetches files and repositories',
  });
}

function checkUnexpandedChecksum({ checksum = '', sources: [source = '', ...more] }: CopyInstruction): void {
  if (more.length === 0 && [source, checksum].some(hasVariable)) return;
  checkChecksum(checksum, more.length === 0 && isRemote(source) ? readRemote(source) : undefined);
}

/** `port[-port][/protocol]`, with an optional host part that images do not record. */
export function checkPorts(text: string, escapeChar: string): void {
  const options = { escape: escapeChar, ignoreRequired: true };
  for (const port of hasVariable(text) ? [] : expandWords(text, () => undefined, options)) {
    if (!/^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/i.test(port)) {
      throw imageError('image/bad-dockerfile', `expected EXPOSE port[-port][/tcp|udp|sctp], got "${port}"`);
    }
  }
}

const signals =
  /^(SIG)?(ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|SEGV|STKFLT|STOP|SYS|TERM|TRAP|TSTP|TTIN|TTOU|URG|USR1|USR2|VTALRM|WINCH|XCPU|XFSZ|RTMIN(\+\d+)?|RTMAX(-\d+)?)$/i;

export function checkSignal(signal: string): void {
  const isNumber = /^\d+$/.test(signal) && Number(signal) > 0 && Number(signal) <= 64;
  if (!isNumber && !signals.test(signal))
    throw imageError('image/bad-dockerfile', `unknown signal "${signal}" in STOPSIGNAL`);
}
