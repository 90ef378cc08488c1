/** The kinds of package databases that are read. The words are the types of package URLs (purl). */
export type PackageKind = 'deb' | 'apk' | 'rpm' | 'conda' | 'pypi' | 'cran' | 'bioconductor' | 'npm';

/** A package as the database of an image names it. */
export interface InstalledPackage {
  readonly kind: PackageKind;
  readonly name: string;
  /** As the database spells it: epoch and release included. */
  readonly version: string;
  readonly architecture?: string;
  /** What it was built from, where that has another name or version (`Source:` of dpkg, `o:` of apk, `SOURCERPM` of rpm). */
  readonly source?: { readonly name: string; readonly version?: string };
  /** More parts of the package URL: `build`, `channel`, `subdir` of conda. */
  readonly qualifiers?: Readonly<Record<string, string>>;
}

/** A package, and where in the image it was found. */
export interface FoundPackage extends InstalledPackage {
  /** `pkg:deb/debian/openssl@3.0.17-1?arch=amd64&distro=debian-12` (package URL specification). */
  readonly purl: string;
  /** The database or metadata file, relative to the root of the image. */
  readonly path: string;
  /** Index of the first layer that has it; 0 is the base. */
  readonly layer: number;
}

/** `ID` and `VERSION_ID` of os-release(5). */
export interface Distribution {
  readonly id: string;
  readonly version?: string;
}

/** What is installed in an image, as far as its package databases say. */
export interface PackageList {
  readonly distribution?: Distribution;
  /** Sorted by package URL, then by path. */
  readonly packages: readonly FoundPackage[];
  /** In a lower layer, and taken away or replaced by a later one. */
  readonly hidden: readonly FoundPackage[];
  /** Databases that are there and could not be read, each with the reason: of what they hold nothing is known. */
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
}

/** What reads one kind of database. */
export interface PackageReader {
  /** Path relative to the root of the image. */
  readonly matches: (path: string) => boolean;
  /** Fails with any error where the content is not what its path says. */
  readonly read: (content: Buffer, path: string) => readonly InstalledPackage[];
}
