import { parseParagraphs } from '../control-text.ts';
import type { PackageReader } from '../model.ts';

/** R: an installed package has `Built:` in its DESCRIPTION; those of Bioconductor have `biocViews:`. */
export const rReader: PackageReader = {
  matches: (path) => /\/[A-Za-z][A-Za-z0-9.]*\/DESCRIPTION$/.test(path),
  read: (content) => {
    const [description] = parseParagraphs(content.toString());
    const [name, version] = [description?.get('Package'), description?.get('Version')];
    if (!name || !version || !description?.has('Built')) return [];
    return [{ kind: description.has('biocViews') ? 'bioconductor' : 'cran', name, version }];
  },
};
