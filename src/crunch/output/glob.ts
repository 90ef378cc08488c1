/**
 * The patterns of `output_glob` (Arvados API 3.2, "Container glob patterns"): `*`, `?`, `[…]`, `[^…]`, `[!…]`, and `**` as a
 * whole path component. No pattern at all matches everything.
 */
export function createGlobFilter(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => true;
  const expressions = patterns.map(toExpression);
  return (path) => expressions.some((one) => one.test(path));
}

function toExpression(pattern: string): RegExp {
  const parts = pattern.replace(/^(\.?\/)+/, '').split('/');
  const last = parts.length - 1;
  const source = parts.map((part, index) => {
    if (part === '**') return index === last ? '.+' : '(?:[^/]+/)*';
    return toComponent(part) + (index === last ? '' : '/');
  });
  return new RegExp(`^${source.join('')}$`, 'su');
}

function toComponent(part: string): string {
  let source = '';
  for (let index = 0; index < part.length; index += 1) {
    const char = part[index] ?? '';
    const set = char === '[' ? readSet(part, index) : undefined;
    if (set) {
      source += set.source;
      index = set.end;
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '\\' && index + 1 < part.length) {
      index += 1;
      source += quote(part[index] ?? '');
    } else source += quote(char);
  }
  return source;
}

/** `[abc]` from `start`; a bracket that is never closed is itself. */
function readSet(part: string, start: number): { source: string; end: number } | undefined {
  const negated = part[start + 1] === '^' || part[start + 1] === '!';
  const from = start + (negated ? 2 : 1);
  const end = part.indexOf(']', from + 1);
  if (end < 0) return undefined;
  const inner = part.slice(from, end).replace(/[\\\][^]/g, '\\$&');
  try {
    const source = negated ? `[^/${inner}]` : `(?!/)[${inner}]`;
    new RegExp(source, 'u');
    return { source, end };
  } catch {
    return undefined;
  }
}

const quote = (char: string): string => char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
