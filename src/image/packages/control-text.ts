/** Fields of one paragraph by name, as deb822(5), METADATA of Python and DESCRIPTION of R write them. */
export type Paragraph = ReadonlyMap<string, string>;

/** Paragraphs of `Name: value` lines, parted by empty lines; a line that starts with a blank goes on with the value before. */
export function parseParagraphs(text: string): Paragraph[] {
  const paragraphs: Map<string, string>[] = [];
  let current = new Map<string, string>();
  let last = '';
  const end = () => {
    if (current.size > 0) paragraphs.push(current);
    current = new Map();
  };
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (line.trim() === '') end();
    else if (/^[ \t]/.test(line)) current.set(last, `${current.get(last) ?? ''}\n${line.trim()}`);
    else if (colon > 0) {
      last = line.slice(0, colon);
      current.set(last, line.slice(colon + 1).trim());
    }
  }
  end();
  return paragraphs;
}

/** The named fields; fails where one is missing. */
export function requireFields<N extends string>(paragraph: Paragraph, ...names: readonly N[]): Record<N, string> {
  return Object.fromEntries(
    names.map((name) => {
      const value = paragraph.get(name);
      if (!value) throw new Error(`a paragraph has no ${name}`);
      return [name, value];
    }),
  ) as Record<N, string>;
}
