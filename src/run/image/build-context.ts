import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CwlDirectory } from '../../cwl/values.ts';
import { readText } from '../../keep/file-reader.ts';
import { parseKeepLocation } from '../../keep/location.ts';
import { readCollection } from '../collections.ts';
import { runError } from '../errors.ts';
import type { ImageServices } from './port.ts';
import type { BuildInstructions } from './requirement.ts';

/** A Dockerfile is short; a longer one is a mistake or an attack. */
const maxDockerfileBytes = 1024 * 1024;

/** Puts the context into Keep, where it is not there already; gives its `keep:` location. */
export async function storeContext(
  { inputs }: ImageServices,
  { context, position }: BuildInstructions,
): Promise<string | undefined> {
  if (context === undefined) return undefined;
  if (typeof context !== 'string') return ((await inputs.store(context)) as CwlDirectory).location;
  if (context.startsWith('keep:')) return context;
  throw runError(
    'run/bad-requirement',
    `expected a Directory or a keep: URL as context of hm:ImageBuild, got ${context}`,
    {
      where: position,
      hint: 'check the repository out and give its folder as a Directory',
    },
  );
}

/** The Dockerfile that lies in the context. */
export async function readDockerfile(
  { api, blocks }: ImageServices,
  { dockerfile, position }: BuildInstructions,
  context: string | undefined,
): Promise<string> {
  const { portableDataHash, path: inside } = parseKeepLocation(context ?? '');
  const collection = await readCollection(api, portableDataHash);
  const path = [inside, dockerfile.replace(/^\/+/, '')].filter((part) => part !== '').join('/');
  const file = collection.files.get(path);
  if (file && file.sizeBytes <= maxDockerfileBytes) return readText(blocks, file);
  throw runError(
    'run/bad-requirement',
    `expected a Dockerfile of at most 1 MiB at ${path} in the build context, got ${file ? `${file.sizeBytes} bytes` : 'none'}`,
    {
      where: position,
      hint: 'set dockerfile of hm:ImageBuild to its path in the context',
    },
  );
}

/** The folder on the host that the instructions come from: that of the context, else that of the document. */
export function folderOf({ context, position }: BuildInstructions): string {
  if (typeof context === 'object' && context.location?.startsWith('file:')) return fileURLToPath(context.location);
  return dirname(position.file.startsWith('file:') ? fileURLToPath(position.file) : position.file);
}
