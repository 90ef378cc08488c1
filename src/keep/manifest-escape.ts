const escaped = /[\\:\0-\x20]/g;
const needsEscape = /[\\:\0-\x20]/;

/** Manifest format v1: white space, control codes, backslash and colon become `\ooo`. */
export function escapeName(name: string): string {
  if (!needsEscape.test(name)) return name;
  return name.replace(escaped, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** Undoes every `\ooo` and `\\`; escapes stand for UTF-8 bytes. Undefined when these are not UTF-8. */
export function unescapeName(text: string): string | undefined {
  if (!text.includes('\\')) return text;
  let beyondAscii = false;
  const plain = text.replace(/\\([0-3][0-7][0-7]|\\)/g, (_match, code: string) => {
    if (code === '\\') return '\\';
    const byte = Number.parseInt(code, 8);
    beyondAscii ||= byte > 0x7f;
    return String.fromCharCode(byte);
  });
  return beyondAscii ? unescapeBytes(text) : plain;
}

function unescapeBytes(text: string): string | undefined {
  const bytes = Buffer.from(text)
    .toString('latin1')
    .replace(/\\([0-3][0-7][0-7]|\\)/g, (_match, code: string) =>
      code === '\\' ? '\\' : String.fromCharCode(Number.parseInt(code, 8)),
    );
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}
