import { parseParagraphs, requireFields } from '../control-text.ts';
import type { PackageReader } from '../model.ts';

/** Python: core metadata of wheels and eggs (PEP 566). Names are compared as PEP 503 makes them normal. */
export const pypiReader: PackageReader = {
  matches: (path) => /\.(dist-info\/METADATA|egg-info\/PKG-INFO|egg-info|egg\/EGG-INFO\/PKG-INFO)$/.test(path),
  read: (content) => {
    const [header] = parseParagraphs(content.toString());
    if (!header) throw new Error('it is empty');
    const { Name: name, Version: version } = requireFields(header, 'Name', 'Version');
    return [{ kind: 'pypi', name: name.toLowerCase().replaceAll(/[-_.]+/g, '-'), version }];
  },
};
