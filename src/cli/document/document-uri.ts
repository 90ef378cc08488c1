import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A path, with or without `#id`, or a URL as it is. */
export async function toDocumentUri(name: string): Promise<string> {
  if (/^(https?|file|keep):/.test(name)) return name;
  const whole = await stat(name).then(
    () => true,
    () => false,
  );
  const hash = whole ? -1 : name.lastIndexOf('#');
  const path = hash < 0 ? name : name.slice(0, hash);
  return pathToFileURL(resolve(path)).href + (hash < 0 ? '' : name.slice(hash));
}
