import type { PackageKind } from '../model.ts';
import { compareApk } from './apk.ts';
import { compareDeb, compareNumbers } from './deb.ts';
import { compareRpm } from './rpm.ts';

/**
 * Order of two versions of one kind: negative where `a` is older. NaN where the kind has no order that is known here, or a
 * version is not of its form: then only equality can be told.
 */
export function compareVersions(kind: PackageKind, a: string, b: string): number {
  if (a === b) return 0;
  switch (kind) {
    case 'deb':
      return compareDeb(a, b);
    case 'rpm':
      return compareRpm(a, b);
    case 'apk':
      return compareApk(a, b);
    default:
      return compareReleases(a, b);
  }
}

/** Releases of numbers alone, `1.10.2` or `1.10-2`, which all kinds order alike. What has letters has rules of its own. */
function compareReleases(a: string, b: string): number {
  const plain = /^\d+([.-]\d+)*$/;
  if (!plain.test(a) || !plain.test(b)) return Number.NaN;
  const [left, right] = [a.split(/[.-]/), b.split(/[.-]/)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const order = compareNumbers(left[index] ?? '', right[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}
