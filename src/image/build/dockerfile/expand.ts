import { imageError } from '../../errors.ts';
import { replacePattern, trimPrefix, trimSuffix } from './shell-pattern.ts';

/** The value of a variable, or nothing where it is not set. */
export type Lookup = (name: string) => string | undefined;

export interface ExpandOptions {
  /** The parser directive `escape`. */
  readonly escape?: string;
  readonly keepQuotes?: boolean;
  readonly keepEscapes?: boolean;
  /** Quotes mean nothing: the content of a heredoc. */
  readonly quotesAreText?: boolean;
  /** References to unset variables stay as they are written. */
  readonly keepUnset?: boolean;
  /** `${x:?message}` does not fail: the syntax is checked before the values are known. */
  readonly ignoreRequired?: boolean;
}

interface Scan {
  readonly chars: readonly string[];
  at: number;
  readonly lookup: Lookup;
  readonly options: ExpandOptions;
  readonly escape: string;
}

interface Scanned {
  text: string;
  words: string[];
  /** The word under way; undefined between words. */
  word: string | undefined;
}

/** One word with quotes removed and variables put in: shell words as Dockerfile frontend 1.x reads them. */
export function expandWord(word: string, lookup: Lookup, options: ExpandOptions = {}): string {
  return scanUntil(start(word, lookup, options), undefined, options.keepEscapes ?? false).text;
}

/** As `expandWord`, split at unquoted space after the variables have been put in. */
export function expandWords(word: string, lookup: Lookup, options: ExpandOptions = {}): string[] {
  const { words } = scanUntil(start(word, lookup, options), undefined, options.keepEscapes ?? false);
  return words;
}

function start(word: string, lookup: Lookup, options: ExpandOptions): Scan {
  return { chars: [...word], at: 0, lookup, options, escape: options.escape ?? '\\' };
}

const isSpace = (char: string) => /^\s$/u.test(char);

function addRaw(to: Scanned, text: string): void {
  to.text += text;
  to.word = (to.word ?? '') + text;
}

function addSplitting(to: Scanned, text: string): void {
  to.text += text;
  for (const char of text) {
    if (!isSpace(char)) to.word = (to.word ?? '') + char;
    else if (to.word) {
      to.words.push(to.word);
      to.word = undefined;
    }
  }
}

function scanUntil(scan: Scan, stop: string | undefined, keepEscapes: boolean): Scanned {
  const out: Scanned = { text: '', words: [], word: undefined };
  const quotes = !scan.options.quotesAreText;
  for (let char = scan.chars[scan.at]; char !== undefined; char = scan.chars[scan.at]) {
    if (char === stop) break;
    if (char === '$') addSplitting(out, dollar(scan));
    else if (char === '<') addRaw(out, heredocMark(scan));
    else if (quotes && char === "'") addRaw(out, singleQuoted(scan));
    else if (quotes && char === '"') addRaw(out, doubleQuoted(scan, keepEscapes));
    else if (char === scan.escape) {
      const next = scan.chars[scan.at + 1];
      scan.at += 2;
      if (keepEscapes) addRaw(out, char);
      if (next !== undefined) addRaw(out, next);
    } else {
      scan.at += 1;
      addSplitting(out, char);
    }
  }
  if (stop !== undefined) {
    if (scan.at >= scan.chars.length) throw bad(scan, `expected "${stop}"`);
    scan.at += 1;
  }
  if (out.word) out.words.push(out.word);
  return out;
}

function singleQuoted(scan: Scan): string {
  const end = scan.chars.indexOf("'", scan.at + 1);
  if (end < 0) throw bad(scan, 'expected a closing single quote');
  const text = scan.chars.slice(scan.at + 1, end).join('');
  scan.at = end + 1;
  return scan.options.keepQuotes ? `'${text}'` : text;
}

function doubleQuoted(scan: Scan, keepEscapes: boolean): string {
  let text = '';
  scan.at += 1;
  for (let char = scan.chars[scan.at]; char !== '"'; char = scan.chars[scan.at]) {
    if (char === undefined) throw bad(scan, 'expected a closing double quote');
    if (char === '$') {
      text += dollar(scan);
      continue;
    }
    scan.at += 1;
    if (char !== scan.escape) {
      text += char;
      continue;
    }
    const next = scan.chars[scan.at];
    const escapes = next === '"' || next === '$' || next === scan.escape;
    if (keepEscapes || (!escapes && next !== undefined)) text += char;
    if (escapes) {
      text += next;
      scan.at += 1;
    }
  }
  scan.at += 1;
  return scan.options.keepQuotes ? `"${text}"` : text;
}

/** `<<` takes the space behind it along, so that `<< EOF` is one word. */
function heredocMark(scan: Scan): string {
  const mark = /^<(<[\t\r ]*)?/.exec(scan.chars.slice(scan.at).join(''))?.[0] ?? '<';
  scan.at += mark.length;
  return mark;
}

const namePattern = /^(\p{Nd}+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*)/u;

function variableName(scan: Scan): string {
  const name = namePattern.exec(scan.chars.slice(scan.at).join(''))?.[0] ?? '';
  scan.at += [...name].length;
  return name;
}

function dollar(scan: Scan): string {
  scan.at += 1;
  if (scan.chars[scan.at] !== '{') {
    const name = variableName(scan);
    return name === '' ? '$' : (scan.lookup(name) ?? (scan.options.keepUnset ? `$${name}` : ''));
  }
  scan.at += 1;
  const name = variableName(scan);
  const operator = scan.chars[scan.at];
  if (operator === undefined) throw bad(scan, 'expected "}"');
  if (name === '') throw bad(scan, `expected a variable name after "\${", got "${operator}"`);
  scan.at += 1;
  const value = scan.lookup(name);
  const keep = value === undefined && scan.options.keepUnset;
  if (operator === '}') return value ?? (keep ? `\${${name}}` : '');
  if (operator === '/') return replacement(scan, name, keep ?? false);
  return modified(scan, name, operator, keep ?? false);
}

function modified(scan: Scan, name: string, first: string, keep: boolean): string {
  const colon = first === ':';
  const operator = colon ? (scan.chars[scan.at++] ?? '') : first;
  if (!(colon ? '-+?' : '-+?#%').includes(operator) || operator === '') {
    throw bad(scan, `expected a modifier :- :+ :? - + ? # % or /, got "${colon ? ':' : ''}${operator}"`);
  }
  const trims = operator === '#' || operator === '%';
  const word = scanUntil(scan, '}', trims).text;
  if (keep) return `\${${name}${colon ? ':' : ''}${operator}${word}}`;
  const value = scan.lookup(name) ?? '';
  const missing = scan.lookup(name) === undefined || (colon && value === '');
  if (operator === '-') return missing ? word : value;
  if (operator === '+') return missing ? '' : word;
  if (operator === '?') {
    if (!missing || scan.options.ignoreRequired) return value;
    throw imageError('image/bad-dockerfile', `${name}: ${word || 'expected a value, got none'}`);
  }
  const greedy = word.startsWith(operator);
  return (operator === '#' ? trimPrefix : trimSuffix)(value, greedy ? word.slice(1) : word, greedy);
}

function replacement(scan: Scan, name: string, keep: boolean): string {
  const all = scan.chars[scan.at] === '/';
  if (all) scan.at += 1;
  const pattern = scanUntil(scan, '/', true).text;
  const text = scanUntil(scan, '}', true).text;
  if (keep) return `\${${name}/${pattern}/${text}}`;
  return replacePattern(scan.lookup(name) ?? '', pattern, text, all);
}

function bad(scan: Scan, expected: string) {
  return imageError('image/bad-dockerfile', `${expected} in "${scan.chars.join('')}"`);
}
