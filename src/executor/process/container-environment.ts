import type { ContainerSpec, LoadedImage } from '../port.ts';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the image sets, below what the spec sets; a PATH there is always, as with docker. */
export function toContainerEnvironment(image: LoadedImage, spec: ContainerSpec): Record<string, string> {
  const set = image.environment.map((entry) => [
    entry.slice(0, entry.indexOf('=')),
    entry.slice(entry.indexOf('=') + 1),
  ]);
  return { PATH: defaultPath, ...Object.fromEntries(set), ...spec.environment };
}
