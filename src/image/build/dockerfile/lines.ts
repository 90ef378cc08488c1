import { type Heredoc, heredocsOf } from './heredoc.ts';
import type { Problems } from './problems.ts';
import { splitFlags } from './words.ts';

/** One instruction as text: continuations joined, comments gone, flags split off, heredocs read. */
export interface InstructionLine {
  /** Upper case. */
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly rest: string;
  /** The joined line as it is written, without heredoc contents. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
  readonly line: number;
  readonly endLine: number;
}

export interface ReadLines {
  readonly lines: readonly InstructionLine[];
  readonly escapeChar: string;
  readonly syntax?: string;
}

interface Reader {
  readonly rows: readonly string[];
  at: number;
}

/** Dockerfile reference, "Format", "Parser directives", "Here-documents". */
export function readLines(text: string, problems: Problems): ReadLines {
  const rows = text.replace(/^\uFEFF/, '').match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const { directives, next } = readDirectives(rows, problems);
  const escapeChar = directives.get('escape') ?? '\\';
  const syntax = directives.get('syntax');
  const reader: Reader = { rows, at: next };
  const lines: InstructionLine[] = [];
  while (reader.at < rows.length) {
    const line = readInstruction(reader, escapeChar, problems);
    if (line) lines.push(line);
  }
  return { lines, escapeChar, ...(syntax === undefined ? {} : { syntax }) };
}

const directiveNames = ['syntax', 'escape', 'check'];

function readDirectives(rows: readonly string[], problems: Problems) {
  const directives = new Map<string, string>();
  let next = 0;
  for (; next < rows.length; next += 1) {
    const match = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec((rows[next] ?? '').trim());
    const name = match?.[1]?.toLowerCase() ?? '';
    if (!directiveNames.includes(name)) break;
    if (directives.has(name)) problems.report(next + 1, `expected one ${name} directive, got another`);
    directives.set(name, match?.[2] ?? '');
  }
  const escapeChar = directives.get('escape');
  if (escapeChar !== undefined && escapeChar !== '\\' && escapeChar !== '`') {
    problems.report(1, `expected the escape directive to be \\ or \`, got "${escapeChar}"`);
    directives.delete('escape');
  }
  return { directives, next };
}

const isComment = (row: string) => /^\s*#/.test(row);

function readInstruction(reader: Reader, escapeChar: string, problems: Problems): InstructionLine | undefined {
  const start = reader.at;
  const text = readJoined(reader, escapeChar).trim();
  if (text === '') return undefined;
  const [, word = '', tail = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  const keyword = word.toUpperCase();
  const { flags, rest } = splitFlags(tail, escapeChar);
  const heredocs = readHeredocs(reader, { keyword, rest, text, line: start + 1 }, problems);
  return { keyword, flags, rest, text, heredocs, line: start + 1, endLine: reader.at };
}

function readJoined(reader: Reader, escapeChar: string): string {
  let joined = '';
  for (let first = true; reader.at < reader.rows.length; first = false) {
    const row = (reader.rows[reader.at] ?? '').replace(/[\r\n]+$/, '');
    reader.at += 1;
    if (isComment(row) || (!first && row.trim() === '')) {
      if (first) return '';
      continue;
    }
    const continued = toContinued(row, escapeChar);
    joined += continued ?? row;
    if (continued === undefined) break;
  }
  return joined;
}

/** The row without its continuation character; undefined where it does not go on. A doubled one is no continuation. */
function toContinued(row: string, escapeChar: string): string | undefined {
  const trimmed = row.replace(/[ \t]+$/, '');
  if (!trimmed.endsWith(escapeChar) || trimmed.at(-2) === escapeChar) return undefined;
  return trimmed.slice(0, -1);
}

type Head = Pick<InstructionLine, 'keyword' | 'rest' | 'text' | 'line'>;

function readHeredocs(reader: Reader, head: Head, problems: Problems): Heredoc[] {
  if (!takesHeredocs(head)) return [];
  return heredocsOf(head.text).map((doc) => {
    const start = reader.at;
    for (; reader.at < reader.rows.length; reader.at += 1) {
      const row = (reader.rows[reader.at] ?? '').replace(/[\r\n]+$/, '');
      if ((doc.chomp ? row.replace(/^\t+/, '') : row) !== doc.name) continue;
      const content = reader.rows.slice(start, reader.at).join('');
      reader.at += 1;
      return { ...doc, content };
    }
    problems.report(head.line, `expected the heredoc to end with a line "${doc.name}", got the end of the file`);
    return doc;
  });
}

function takesHeredocs({ keyword, rest }: Head): boolean {
  const [inner = '', tail = ''] = keyword === 'ONBUILD' ? rest.split(/\s+([\s\S]*)/) : [keyword, rest];
  return ['RUN', 'COPY', 'ADD'].includes(inner.toUpperCase()) && !isJsonArray(tail);
}

function isJsonArray(text: string): boolean {
  if (!text.trimStart().startsWith('[')) return false;
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}
