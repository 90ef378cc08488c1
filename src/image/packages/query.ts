import { imageError } from '../errors.ts';
import type { FoundPackage, InstalledPackage, PackageKind, PackageList } from './model.ts';
import { compareVersions } from './versions/compare.ts';

/** Which packages are meant: a name, perhaps of one kind, perhaps of some versions. */
export interface PackageQuery {
  readonly kind?: PackageKind;
  readonly name: string;
  /** All must hold. */
  readonly bounds: readonly { readonly operator: Operator; readonly version: string }[];
}

type Operator = '=' | '<' | '<=' | '>' | '>=';

const kinds: readonly string[] = ['deb', 'apk', 'rpm', 'conda', 'pypi', 'cran', 'bioconductor', 'npm'];

/** `openssl`, `openssl<3.0.17`, `deb/openssl>=3.0,<3.0.17`, `numpy=1.26.4`. Fails with `image/bad-package-query`. */
export function parsePackageQuery(text: string): PackageQuery {
  const at = text.search(/[<>=]/);
  const names = (at < 0 ? text : text.slice(0, at)).trim();
  const slash = names.indexOf('/');
  const kind = kinds.includes(names.slice(0, slash)) ? (names.slice(0, slash) as PackageKind) : undefined;
  const name = kind === undefined ? names : names.slice(slash + 1);
  const bounds = (at < 0 ? [] : text.slice(at).split(',')).map((bound) =>
    /^\s*(<=|>=|<|>|==?)\s*([^<>=\s]+)\s*$/.exec(bound),
  );
  if (name === '' || /\s/.test(name) || bounds.includes(null)) {
    throw imageError(
      'image/bad-package-query',
      `expected a package as NAME or NAME<VERSION, got ${JSON.stringify(text)}`,
      {
        hint: 'as in openssl, "openssl>=3.0,<3.0.17" or pypi/numpy=1.26.4',
      },
    );
  }
  return {
    ...(kind !== undefined && { kind }),
    name,
    bounds: bounds.map((bound) => ({
      operator: bound?.[1]?.replace('==', '=') as Operator,
      version: bound?.[2] ?? '',
    })),
  };
}

/** What a list answers: never a guess. */
export interface PackageAnswer {
  /** Packages that are meant. */
  readonly found: readonly FoundPackage[];
  /** Packages of that name in versions that are not meant. */
  readonly others: readonly FoundPackage[];
  /** Why there may be others: databases that were not read, or none at all, or versions that have no order. */
  readonly unknown: readonly string[];
}

/** The packages of a list that a query means. Versions are compared only within their kind. */
export function findPackages(list: PackageList, query: PackageQuery): PackageAnswer {
  const found: FoundPackage[] = [];
  const others: FoundPackage[] = [];
  const unknown = list.unread.map(({ path, reason }) => `${path} was not read: ${reason}`);
  if (list.packages.length === 0 && unknown.length === 0) unknown.push('the image has no package database');
  for (const candidate of list.packages) {
    const version = versionMeant(candidate, query);
    if (version === undefined) continue;
    const holds = query.bounds.map((bound) =>
      isWithin(compareVersions(candidate.kind, version, bound.version), bound.operator),
    );
    if (holds.every((hold) => hold === true)) found.push(candidate);
    else if (holds.includes(false)) others.push(candidate);
    else unknown.push(`${candidate.purl}: its version cannot be ordered`);
  }
  return { found, others, unknown };
}

/** Advisories name what a package was built from: that counts as its name, with its version. */
function versionMeant(candidate: InstalledPackage, { kind, name }: PackageQuery): string | undefined {
  if (kind !== undefined && candidate.kind !== kind) return undefined;
  if (candidate.name === name) return candidate.version;
  if (candidate.source?.name === name) return candidate.source.version ?? candidate.version;
  return undefined;
}

function isWithin(order: number, operator: Operator): boolean | undefined {
  if (Number.isNaN(order)) return operator === '=' ? false : undefined;
  switch (operator) {
    case '=':
      return order === 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}
