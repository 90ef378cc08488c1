import { compileNamePattern } from '../../core/name-pattern.ts';

type Component = 'globstar' | ((name: string) => boolean);

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
      .map((part): Component => (part === '**' ? 'globstar' : compileNamePattern(part))),
  );
  return (path) => {
    const names = path.split('/');
    return compiled.some((components) => matchesPath(components, names));
  };
}

/** `reachable[i]`: the components so far can have taken the first `i` names. */
function matchesPath(components: readonly Component[], names: readonly string[]): boolean {
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
      } else if (isReachable && index < names.length && component(names[index] ?? '')) {
        next[index + 1] = true;
      }
    }
    reachable = next;
  }
  return reachable[names.length] ?? false;
}
