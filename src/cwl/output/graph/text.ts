/** Text in a drawing: how wide it is about, where it is cut, and what of it may be in XML. */

const maxLines = 3;

/** Width in units of the font's size: a proportional sans-serif font, a little generous. */
export function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) width += widthOfLetter(letter);
  return width;
}

function widthOfLetter(letter: string): number {
  if (/[ijl.,:;'|!()[\]/\s-]/.test(letter)) return 0.36;
  if (/[mwMW@%]/.test(letter)) return 0.92;
  if (/[A-Z0-9_]/.test(letter)) return 0.67;
  return (letter.codePointAt(0) ?? 0) >= 0x1100 ? 1.05 : 0.58;
}

/** Lines of at most `width`, broken after spaces and joints of names, or inside a word that is too long; the rest is an ellipsis. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const piece of clean(text)
    .split(/(?<=[\s_./-])(?=[^\s_./-])/)
    .flatMap((word) => cut(word, width))) {
    if (line !== '' && widthOf((line + piece).trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += piece;
    if (lines.length > maxLines) break;
  }
  lines.push(line);
  if (lines.length <= maxLines) return lines;
  return [...lines.slice(0, maxLines - 1), `${lines[maxLines - 1]}…`];
}

function cut(word: string, width: number): string[] {
  if (widthOf(word.trimEnd()) <= width) return [word];
  const found: string[] = [];
  let piece = '';
  for (const letter of word) {
    if (widthOf(piece + letter) > width) {
      found.push(piece);
      piece = '';
      if (found.length > maxLines) return found;
    }
    piece += letter;
  }
  return [...found, piece];
}

/**
 * One line without what XML 1.0 forbids (control characters, halves of pairs) and without marks that turn the direction of the
 * text around it.
 */
export const clean = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g, '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to go.
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and for attributes in quotes alike. */
export const escapeXml = (text: string): string => clean(text).replace(/[&<>"']/g, (letter) => entities[letter] ?? '');
