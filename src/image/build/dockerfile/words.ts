/** Words of `ENV`, `ARG` and `LABEL`: split at space outside quotes, with quotes and escapes kept for the expansion. */
export function splitWords(rest: string, escapeChar: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < rest.length; at += 1) {
    const char = rest.charAt(at);
    if (char === escapeChar && quote !== "'") {
      if (at + 1 < rest.length) word = (word ?? '') + char + rest.charAt(at + 1);
      at += 1;
      continue;
    }
    if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    word = (word ?? '') + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Splits `--flag=value …` off the front; quotes are removed, `--` ends the flags. */
export function splitFlags(rest: string, escapeChar: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < rest.length && /\s/.test(rest.charAt(at))) at += 1;
    if (!rest.startsWith('--', at)) return { flags, rest: rest.slice(at).trim() };
    const flag = readFlag(rest, at, escapeChar);
    at = flag.end;
    if (flag.text === '--') return { flags, rest: rest.slice(at).trim() };
    flags.push(flag.text);
  }
}

function readFlag(rest: string, from: number, escapeChar: string): { text: string; end: number } {
  let text = '';
  let quote = '';
  let at = from;
  for (; at < rest.length; at += 1) {
    const char = rest.charAt(at);
    if (quote === '' && /\s/.test(char)) break;
    if (char === escapeChar) {
      at += 1;
      text += rest.charAt(at);
    } else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    else text += char;
  }
  return { text, end: at };
}
