import { expandWords } from './expand.ts';

export interface Heredoc {
  readonly name: string;
  /** False where any part of the delimiter is quoted: nothing in the content is expanded. */
  readonly expand: boolean;
  /** `<<-`: leading tabs are no part of the content. */
  readonly chomp: boolean;
  /** As it is written, tabs included. */
  readonly content: string;
}

const unset = () => undefined;

/** The heredoc that one word opens (`<<EOF`, `<<-"E F"`, `3<<X`), its content still empty. */
export function toHeredoc(word: string): Heredoc | undefined {
  const match = /^\d*<<(-?)\s*([^<]*)$/.exec(word);
  const rest = match?.[2] ?? '';
  if (rest === '') return undefined;
  const names = expandWords(rest, unset, { keepUnset: true });
  const name = names[0];
  if (name === undefined || names.length !== 1) return undefined;
  const raw = expandWords(rest, unset, { keepUnset: true, keepQuotes: true })[0] ?? name;
  const countQuotes = (text: string) => text.match(/['"]/g)?.length ?? 0;
  return { name, expand: countQuotes(name) === countQuotes(raw), chomp: match?.[1] === '-', content: '' };
}

/** The heredocs that a line of RUN, COPY or ADD opens, in order. A line that is no shell words opens none. */
export function heredocsOf(line: string): Heredoc[] {
  if (!line.includes('<<')) return [];
  try {
    const words = expandWords(line, unset, { keepQuotes: true, keepEscapes: true, keepUnset: true });
    return words.map(toHeredoc).filter((doc) => doc !== undefined);
  } catch {
    return [];
  }
}

/** What the heredoc stands for, leading tabs removed for `<<-`. */
export function heredocText(doc: Heredoc): string {
  return doc.chomp ? doc.content.replace(/^\t+/gm, '') : doc.content;
}
