import type { Distribution, InstalledPackage } from './model.ts';

/** Kinds whose names belong to a distribution. */
const distributed = new Set(['deb', 'apk', 'rpm']);

/** The package URL: `pkg:type/namespace/name@version?qualifiers` (package URL specification). */
export function toPurl(installed: InstalledPackage, distribution: Distribution | undefined): string {
  const { kind, name, version, architecture } = installed;
  const own = distributed.has(kind);
  const [scope, ...rest] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const namespace = own ? distribution?.id : scope;
  const distro =
    own && distribution ? `${distribution.id}${distribution.version ? `-${distribution.version}` : ''}` : undefined;
  const qualifiers = Object.entries({ ...installed.qualifiers, arch: architecture, distro })
    .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${encode(value)}`);
  const path = [kind, ...(namespace ? [encode(namespace)] : []), encode(rest.join('/'))].join('/');
  return `pkg:${path}@${encode(version)}${qualifiers.length > 0 ? `?${qualifiers.join('&')}` : ''}`;
}

/** The specification leaves the colon as it is. */
const encode = (text: string) => encodeURIComponent(text).replaceAll('%3A', ':');
