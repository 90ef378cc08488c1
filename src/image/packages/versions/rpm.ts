import { compareNumbers } from './deb.ts';

/** Order of RPM versions `epoch:version-release` (rpm's `rpmvercmp`). Negative where `a` is older. */
export function compareRpm(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  return (
    left.epoch - right.epoch || compareParts(left.version, right.version) || compareParts(left.release, right.release)
  );
}

function split(text: string) {
  const [, epoch = '0', version = '', release = ''] = /^(?:(\d+):)?([^-]*)(?:-(.*))?$/s.exec(text) ?? [];
  return { epoch: Number(epoch), version, release };
}

const part = /[0-9]+|[A-Za-z]+|~|\^/g;

function compareParts(a: string, b: string): number {
  const [left, right] = [a.match(part) ?? [], b.match(part) ?? []] as [string[], string[]];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const order = comparePart(left[index], right[index]);
    if (order !== 0) return order;
  }
  return 0;
}

/** `~` sorts before the end, `^` just after it; a number is newer than a word. */
function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === '~' || b === '~') return a === '~' ? -1 : 1;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  if (a === '^' || b === '^') return a === '^' ? -1 : 1;
  const [leftDigit, rightDigit] = [/^\d/.test(a), /^\d/.test(b)];
  if (leftDigit !== rightDigit) return leftDigit ? 1 : -1;
  if (leftDigit) return compareNumbers(a, b);
  return a < b ? -1 : 1;
}
