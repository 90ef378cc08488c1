import { imageError } from '../../errors.ts';

/** What `--chmod` does to the mode of an entry. */
export type Chmod = (mode: number, isDirectory: boolean) => number;

/** `--chmod`: octal, or symbolic as in chmod(1) (`u=rwX,go=rX`). */
export function parseChmod(text: string): Chmod {
  if (/^[0-7]{1,5}$/.test(text) && Number.parseInt(text, 8) <= 0o7777) {
    const mode = Number.parseInt(text, 8);
    return () => mode;
  }
  const clauses = text.split(',').map((clause) => parseClause(clause, text));
  return (mode, isDirectory) => clauses.reduce((before, apply) => apply(before, isDirectory), mode);
}

const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function parseClause(clause: string, whole: string): Chmod {
  const [, who = '', actions = ''] = /^([ugoa]*)((?:[-+=][rwxXst]*)+)$/.exec(clause) ?? [];
  if (actions === '') {
    throw imageError('image/bad-dockerfile', `expected --chmod to be octal up to 7777 or symbolic, got "${whole}"`);
  }
  const classes = who === '' || who.includes('a') ? ['u', 'g', 'o'] : [...who];
  return (mode, isDirectory) => {
    let result = mode;
    for (const [, operator = '', permissions = ''] of actions.matchAll(/([-+=])([rwxXst]*)/g)) {
      const bits = toBits(classes, permissions, isDirectory || (result & 0o111) !== 0);
      if (operator === '+') result |= bits;
      else if (operator === '-') result &= ~bits;
      else result = (result & ~classes.reduce((mask, name) => mask | (7 << (shifts[name] ?? 0)), 0)) | bits;
    }
    return result;
  };
}

function toBits(classes: readonly string[], permissions: string, allowsX: boolean): number {
  let bits = 0;
  for (const name of classes) {
    const shift = shifts[name] ?? 0;
    if (permissions.includes('r')) bits |= 4 << shift;
    if (permissions.includes('w')) bits |= 2 << shift;
    if (permissions.includes('x') || (permissions.includes('X') && allowsX)) bits |= 1 << shift;
    if (permissions.includes('s')) bits |= name === 'u' ? 0o4000 : name === 'g' ? 0o2000 : 0;
  }
  return permissions.includes('t') ? bits | 0o1000 : bits;
}
