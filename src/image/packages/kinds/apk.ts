import { parseParagraphs, requireFields } from '../control-text.ts';
import type { PackageReader } from '../model.ts';

/** The database of Alpine's apk: one letter for each field. */
export const apkReader: PackageReader = {
  matches: (path) => /(^|\/)lib\/apk\/db\/installed$/.test(path),
  read: (content) =>
    parseParagraphs(content.toString()).map((paragraph) => {
      const { P: name, V: version } = requireFields(paragraph, 'P', 'V');
      const [architecture, origin] = [paragraph.get('A'), paragraph.get('o')];
      return {
        ...{ kind: 'apk', name, version },
        ...(architecture && { architecture }),
        ...(origin && origin !== name && { source: { name: origin } }),
      };
    }),
};
