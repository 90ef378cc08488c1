import { readFile } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { imageError } from '../../errors.ts';
import { literal } from './match.ts';

/** Which paths a list of patterns takes out: `.dockerignore`, `COPY --exclude`. */
export interface IgnoreRules {
  isIgnored(path: string): boolean;
  /** True where a pattern starts with `!`: below an ignored directory there may be paths that are not. */
  readonly hasExceptions: boolean;
}

interface Rule {
  readonly matcher: RegExp;
  readonly isException: boolean;
}

/** Reads the text of a `.dockerignore`. Docker documentation, "Build context", ".dockerignore files". */
export function parseIgnoreFile(text: string, fileName = '.dockerignore'): IgnoreRules {
  const patterns: string[] = [];
  for (const [index, row] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (row.startsWith('#') || row.trim() === '') continue;
    if (row.trim() === '!') {
      throw imageError('image/bad-dockerfile', 'expected a pattern after "!"', {
        where: { file: fileName, line: index + 1 },
      });
    }
    patterns.push(row.trim());
  }
  return toIgnoreRules(patterns);
}

/** The last pattern that matches a path, or a parent of it, decides. */
export function toIgnoreRules(patterns: readonly string[]): IgnoreRules {
  const rules = patterns.map(toRule).filter((rule) => rule !== undefined);
  const known = new Map<string, readonly boolean[]>();
  const matchesOf = (path: string): readonly boolean[] => {
    const parent = posix.dirname(path);
    const above = parent === '.' ? undefined : (known.get(parent) ?? matchesOf(parent));
    const matches = rules.map(({ matcher }, index) => above?.[index] === true || matcher.test(path));
    known.set(path, matches);
    return matches;
  };
  return {
    hasExceptions: rules.some(({ isException }) => isException),
    isIgnored(path) {
      if (rules.length === 0 || path === '' || path === '.') return false;
      const last = matchesOf(path).lastIndexOf(true);
      known.delete(path);
      return last >= 0 && rules[last]?.isException === false;
    },
  };
}

function toRule(pattern: string): Rule | undefined {
  const isException = pattern.startsWith('!');
  const path = posix.normalize((isException ? pattern.slice(1) : pattern).trim()).replace(/^\/+(?=.)/, '');
  if (path === '.' || path === '/' || path === '') return undefined;
  return { matcher: toMatcher(path.replace(/(?<=.)\/$/, '')), isException };
}

/** As `filepath.Match`, and `**` for any number of directories. */
function toMatcher(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at);
    if (pattern.startsWith('**', at)) {
      at += 1;
      while (pattern.charAt(at + 1) === '*') at += 1;
      if (pattern.charAt(at + 1) === '/') at += 1;
      source += at + 1 >= pattern.length ? '.*' : '(.*/)?';
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[' || char === ']') source += char;
    else if (char === '\\') {
      at += 1;
      source += literal(pattern.charAt(at));
    } else source += char === '^' || char === '-' ? char : literal(char);
  }
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    throw imageError('image/bad-dockerfile', `expected an ignore pattern, got "${pattern}"`);
  }
}

/** The ignore file of a Dockerfile: `<name>.dockerignore` beside it, else the context's own. */
export async function readIgnoreFile(contextDir: string, dockerfilePath?: string): Promise<string | undefined> {
  const own =
    dockerfilePath === undefined ? [] : [join(dirname(dockerfilePath), `${basename(dockerfilePath)}.dockerignore`)];
  for (const path of [...own, join(contextDir, '.dockerignore')]) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return undefined;
}
