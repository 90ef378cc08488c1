type Token = '*' | ((character: string) => boolean);

/**
 * A pattern of one name, without a slash, as glob(7) has it: `*`, `?`, `[…]`, `[!…]`, `[^…]`, and `\` before what stands for itself. A
 * dot at the start of a name is as any other. Takes time in proportion to pattern times name, whatever they are.
 */
export function compileNamePattern(pattern: string): (name: string) => boolean {
  const tokens = tokenize([...pattern]);
  return (name) => matches(tokens, [...name]);
}

function tokenize(characters: readonly string[]): readonly Token[] {
  const tokens: Token[] = [];
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? '';
    const close = character === '[' ? classEnd(characters, index) : -1;
    if (character === '*') tokens.push('*');
    else if (character === '?') tokens.push(() => true);
    else if (close > 0) {
      tokens.push(toClass(characters.slice(index + 1, close)));
      index = close;
    } else {
      if (character === '\\' && index + 1 < characters.length) index += 1;
      const literal = characters[index];
      tokens.push((other) => other === literal);
    }
  }
  return tokens;
}

/** Index of the `]` that ends a class; one that comes first belongs to it. -1: the `[` is an ordinary character. */
function classEnd(characters: readonly string[], start: number): number {
  return characters.indexOf(']', start + (isNegation(characters[start + 1]) ? 3 : 2));
}

const isNegation = (character: string | undefined): boolean => character === '!' || character === '^';

function toClass(members: readonly string[]): (character: string) => boolean {
  const negated = isNegation(members[0]);
  const inner = (negated ? members.slice(1) : members).map(codeOf);
  const ranges: [low: number, high: number][] = [];
  for (let index = 0; index < inner.length; index += 1) {
    const low = inner[index] ?? 0;
    const isRange = inner[index + 1] === dash && index + 2 < inner.length;
    ranges.push([low, isRange ? (inner[index + 2] ?? 0) : low]);
    if (isRange) index += 2;
  }
  return (character) => {
    const code = codeOf(character);
    return ranges.some(([low, high]) => low <= code && code <= high) !== negated;
  };
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0;
const dash = codeOf('-');

/** Goes back to the last `*` only: no other ever has to take more. */
function matches(tokens: readonly Token[], characters: readonly string[]): boolean {
  let [token, position, star, resume] = [0, 0, -1, 0];
  while (position < characters.length) {
    const current = tokens[token];
    if (current === '*') {
      [star, resume] = [token, position];
      token += 1;
    } else if (current?.(characters[position] ?? '')) {
      token += 1;
      position += 1;
    } else if (star >= 0) {
      resume += 1;
      position = resume;
      token = star + 1;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === '*');
}
