import { isJsonObject, type JsonValue } from '../../../core/json.ts';
import type { PackageReader } from '../model.ts';

/** Node.js: the package.json at the top of a folder of node_modules. */
export const npmReader: PackageReader = {
  matches: (path) => /(^|\/)node_modules\/(@[^/]+\/)?[^/@.][^/]*\/package\.json$/.test(path),
  read: (content) => {
    const record = JSON.parse(content.toString()) as JsonValue;
    if (!isJsonObject(record) || typeof record.name !== 'string' || typeof record.version !== 'string') return [];
    return [{ kind: 'npm', name: record.name, version: record.version }];
  },
};
