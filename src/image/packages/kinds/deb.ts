import { type Paragraph, parseParagraphs, requireFields } from '../control-text.ts';
import type { InstalledPackage, PackageReader } from '../model.ts';

/** dpkg's `status`, and the one file for each package of distroless images. Only what is installed. */
export const debReader: PackageReader = {
  matches: (path) => /(^|\/)lib\/dpkg\/(status|status\.d\/[^/.]+)$/.test(path),
  read: (content) => parseParagraphs(content.toString()).filter(isInstalled).map(toPackage),
};

const isInstalled = (paragraph: Paragraph): boolean => /(^| )installed$/.test(paragraph.get('Status') ?? 'installed');

function toPackage(paragraph: Paragraph): InstalledPackage {
  const { Package: name, Version: version } = requireFields(paragraph, 'Package', 'Version');
  const architecture = paragraph.get('Architecture');
  const source = /^(\S+)(?: \((.+)\))?$/.exec(paragraph.get('Source') ?? '');
  return {
    ...{ kind: 'deb', name, version },
    ...(architecture && { architecture }),
    ...(source?.[1] && { source: { name: source[1], ...(source[2] && { version: source[2] }) } }),
  };
}
