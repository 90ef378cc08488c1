import { isJsonObject, type JsonValue } from '../../../core/json.ts';
import type { PackageReader } from '../model.ts';

/** conda, mamba, micromamba: a JSON file for each package of an environment. */
export const condaReader: PackageReader = {
  matches: (path) => /(^|\/)conda-meta\/[^/]+-[^/]+\.json$/.test(path),
  read: (content) => {
    const record = JSON.parse(content.toString()) as JsonValue;
    if (!isJsonObject(record) || typeof record.name !== 'string' || typeof record.version !== 'string') {
      throw new Error('expected a JSON object with name and version');
    }
    const { name, version, build, channel, subdir } = record;
    const texts = Object.entries({ build, channel: toChannel(channel), subdir });
    const qualifiers = Object.fromEntries(
      texts.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
    return [{ kind: 'conda', name, version, qualifiers }];
  },
};

/** `https://conda.anaconda.org/bioconda/noarch` is the channel `bioconda`. */
const toChannel = (channel: JsonValue | undefined) =>
  typeof channel === 'string'
    ? channel.replace(/\/(noarch|(linux|osx|win)-[^/]+)\/?$/, '').replace(/^.*\//, '')
    : undefined;
