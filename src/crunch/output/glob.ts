/** One character of a pattern, or `*`. */
type Token = 'star' | ((char: string) => boolean);
type Component = 'globstar' | readonly Token[];

/**
 * The patterns of `output_glob` (Arvados API 3.2, "Container glob patterns"): `*`, `?`, `[…]`, `[^…]`, `[!…]`, and `**` as a
 * whole path component. No pattern at all matches everything. Takes time in proportion to pattern times path, whatever they are.
 */
export function createGlobFilter(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => true;
  const compiled = patterns.map((pattern) =>
    pattern
      .replace(/^(\.?\/)+/, '')
      .split('/')
      .map(toComponent),
  );
  return (path) => {
    const names = path.split('/').map((name) => [...name]);
    return compiled.some((components) => matchesPath(components, names));
  };
}

/** `reachable[i]`: the components so far can have taken the first `i` names. */
function matchesPath(components: readonly Component[], names: readonly string[][]): boolean {
  let reachable = names.map((_name, index) => index === 0);
  reachable.push(false);
  for (const [position, component] of components.entries()) {
    const isLast = position === components.length - 1;
    const next = new Array<boolean>(names.length + 1).fill(false);
    for (const [index, isReachable] of reachable.entries()) {
      if (component === 'globstar') {
        // It takes any number of names; at the end of a pattern at least that of the file.
        const before = index > 0 && ((next[index - 1] ?? false) || (isLast && (reachable[index - 1] ?? false)));
        next[index] = before || (isReachable && !isLast);
      } else if (isReachable && index < names.length && matchesName(component, names[index] ?? [])) {
        next[index + 1] = true;
      }
    }
    reachable = next;
  }
  return reachable[names.length] ?? false;
}

/** Only the last star ever has to take more. */
function matchesName(tokens: readonly Token[], chars: readonly string[]): boolean {
  let [token, char, star, resume] = [0, 0, -1, 0];
  while (char < chars.length) {
    const test = tokens[token];
    if (test === 'star') {
      star = token;
      resume = char;
      token += 1;
    } else if (test?.(chars[char] ?? '')) {
      token += 1;
      char += 1;
    } else if (star >= 0) {
      resume += 1;
      char = resume;
      token = star + 1;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === 'star');
}

function toComponent(text: string): Component {
  if (text === '**') return 'globstar';
  const chars = [...text];
  const tokens: Token[] = [];
  for (let index = 0; index < chars.length; index += 1) {
    const char = chars[index] ?? '';
    const set = char === '[' ? readSet(chars, index) : undefined;
    if (set) {
      tokens.push(set.test);
      index = set.end;
    } else if (char === '*') tokens.push('star');
    else if (char === '?') tokens.push(() => true);
    else {
      const literal = char === '\\' && index + 1 < chars.length ? (chars[++index] ?? '') : char;
      tokens.push((other) => other === literal);
    }
  }
  return tokens;
}

/** `[abc]`, `[a-c]` from `start`; a bracket that is never closed is itself. */
function readSet(
  chars: readonly string[],
  start: number,
): { test: (char: string) => boolean; end: number } | undefined {
  const isNegated = chars[start + 1] === '^' || chars[start + 1] === '!';
  const from = start + (isNegated ? 2 : 1);
  const end = chars.indexOf(']', from + 1);
  if (end < 0) return undefined;
  const ranges: [string, string][] = [];
  for (let index = from; index < end; index += 1) {
    const first = chars[index] ?? '';
    const isRange = chars[index + 1] === '-' && index + 2 < end;
    ranges.push([first, isRange ? (chars[index + 2] ?? '') : first]);
    if (isRange) index += 2;
  }
  const codeOf = (char: string): number => char.codePointAt(0) ?? 0;
  const isIn = (char: string) =>
    ranges.some(([low, high]) => codeOf(low) <= codeOf(char) && codeOf(char) <= codeOf(high));
  return { test: (char) => isIn(char) !== isNegated, end };
}
