import { compareNumbers } from './deb.ts';

const pattern = /^(\d+(?:\.\d+)*)([a-z]?)((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/;

/** What comes before the version itself, then what comes after it. */
const suffixes = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];

/** Order of Alpine versions (apk-package(5)): numbers, a letter, suffixes, `-r` revision. NaN for what is no version. */
export function compareApk(a: string, b: string): number {
  const [left, right] = [pattern.exec(a), pattern.exec(b)];
  if (!left || !right) return Number.NaN;
  return (
    compareDotted(left[1] ?? '', right[1] ?? '') ||
    (left[2] ?? '').localeCompare(right[2] ?? '', 'en') ||
    compareSuffixes(left[3] ?? '', right[3] ?? '') ||
    compareNumbers(left[4] ?? '', right[4] ?? '')
  );
}

/** The first is a number; a later one that starts with 0 is compared as a fraction. */
function compareDotted(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [l, r] = [left[index], right[index]];
    if (l === undefined || r === undefined) return l === undefined ? -1 : 1;
    const isFraction = index > 0 && (l.startsWith('0') || r.startsWith('0'));
    const order = isFraction ? Number(l > r) - Number(l < r) : compareNumbers(l, r);
    if (order !== 0) return order;
  }
  return 0;
}

function compareSuffixes(a: string, b: string): number {
  const [left, right] = [a.split('_').slice(1), b.split('_').slice(1)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [l, r] = [left[index] ?? '', right[index] ?? ''].map((text) => /^([a-z]*)(\d*)$/.exec(text));
    const order =
      suffixes.indexOf(l?.[1] ?? '') - suffixes.indexOf(r?.[1] ?? '') || compareNumbers(l?.[2] ?? '', r?.[2] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}
