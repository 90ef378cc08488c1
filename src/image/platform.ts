import type { Descriptor, Platform } from './model.ts';

/** `linux/arm64/v8` and the like, normal. */
export function parsePlatform(text: string): Platform {
  const [os = '', architecture = '', variant] = text.toLowerCase().split('/');
  return normalPlatform({ os, architecture, ...(variant && { variant }) });
}

/** `os/architecture[/variant]`. */
export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, variant].filter(Boolean).join('/');

/** The platform that containers of this machine have. Node.js says `ppc64` of the little-endian one, the only one it runs on. */
export const hostPlatform = (): Platform =>
  normalPlatform({ os: 'linux', architecture: process.arch === 'ppc64' ? 'ppc64le' : process.arch });

const architectures: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  x64: 'amd64',
  aarch64: 'arm64',
  i386: '386',
  i686: '386',
  ia32: '386',
  armhf: 'arm',
  armel: 'arm',
  ppc64el: 'ppc64le',
};

/** One spelling for each platform: containerd/platforms, `Normalize`. */
function normalPlatform({ os, architecture, variant }: Platform): Platform {
  const name = architectures[architecture] ?? architecture;
  const byDefault = name === 'arm64' ? 'v8' : name === 'amd64' ? 'v1' : undefined;
  const given = (variant ?? (name === 'arm' ? (architecture === 'armel' ? 'v6' : 'v7') : undefined))?.replace(
    /^(\d)/,
    'v$1',
  );
  return { os, architecture: name, ...(given && given !== byDefault && { variant: given }) };
}

/**
 * The descriptor to take for `wanted`: the nearest that it can run (containerd/platforms, `Only`), the first of equals. One without a
 * platform is taken only where none fits.
 */
export function choosePlatform<D extends Descriptor>(descriptors: readonly D[], wanted: Platform): D | undefined {
  const runnable = platformVector(normalPlatform(wanted)).map(formatPlatform);
  for (const platform of runnable) {
    const found = descriptors.find((one) => one.platform && formatPlatform(normalPlatform(one.platform)) === platform);
    if (found) return found;
  }
  return descriptors.find((one) => !one.platform);
}

/** What a machine can run, nearest first: older variants, then the 32-bit sibling. */
function platformVector(platform: Platform): Platform[] {
  const { os, architecture, variant } = platform;
  const older = (name: string, from: number, to: number): Platform[] =>
    Array.from({ length: Math.max(0, from - to + 1) }, (_, step) => ({
      os,
      architecture: name,
      variant: `v${from - step}`,
    }));
  const version = Number(variant?.slice(1));
  if (architecture === 'amd64') {
    return [platform, ...older('amd64', version - 1, 2), { os, architecture: 'amd64' }, { os, architecture: '386' }];
  }
  if (architecture === 'arm64') return [platform, { os, architecture: 'arm64' }, ...older('arm', 8, 5)];
  if (architecture === 'arm') return [platform, ...older('arm', (version || 7) - 1, 5)];
  return [platform];
}
