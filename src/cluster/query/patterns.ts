/** `like` of PostgreSQL minds case, SQLite's LIKE does not: its GLOB does. `%` → `*`, `_` → `?`, `\x` → x itself. */
export function likeToGlob(pattern: string): string {
  let glob = '';
  for (let index = 0; index < pattern.length; index += 1) {
    const char = pattern[index] ?? '';
    if (char === '%') glob += '*';
    else if (char === '_') glob += '?';
    else if (char === '\\' && index + 1 < pattern.length) {
      index += 1;
      glob += literal(pattern[index] ?? '');
    } else glob += literal(char);
  }
  return glob;
}

const literal = (char: string) => ('*?['.includes(char) ? `[${char}]` : char);
