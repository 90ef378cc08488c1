import { expect, it } from 'vitest';
import { toDigest } from '../core/ids.ts';
import { choosePlatform, formatPlatform, parsePlatform } from './platform.ts';

const index = (...platforms: (string | undefined)[]) =>
  platforms.map((text, at) => {
    const [os = '', architecture = '', variant] = text?.split('/') ?? [];
    const platform = text === undefined ? {} : { platform: { os, architecture, ...(variant && { variant }) } };
    return { mediaType: '', size: at, digest: toDigest(`sha256:${'0'.repeat(64)}`), ...platform };
  });

it.each<[string, (string | undefined)[], number | undefined]>([
  ['linux/amd64', ['linux/arm64', 'linux/amd64'], 1],
  ['linux/amd64', ['linux/arm64/v8', 'windows/amd64'], undefined],
  ['linux/amd64', ['linux/386'], 0],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 1],
  ['linux/arm64', ['linux/arm/v7', 'linux/arm64/v8'], 1],
  ['linux/aarch64/v8', ['linux/arm64'], 0],
  ['linux/arm64', ['linux/arm/v6', 'linux/arm/v7'], 1],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6'], 1],
  ['linux/arm/v6', ['linux/arm/v7'], undefined],
  ['linux/amd64', ['unknown/unknown', 'linux/amd64'], 1],
  ['linux/amd64', [undefined, 'linux/amd64'], 1],
  ['linux/amd64', ['linux/arm64', undefined], 1],
])('%s of %j is number %s', (wanted, available, expected) => {
  expect(choosePlatform(index(...available), parsePlatform(wanted))?.size).toBe(expected);
});

it.each([
  ['Linux/x86_64', 'linux/amd64'],
  ['linux/aarch64', 'linux/arm64'],
  ['linux/arm64/8', 'linux/arm64'],
  ['linux/armhf', 'linux/arm/v7'],
  ['linux/armel', 'linux/arm/v6'],
  ['linux/amd64/v1', 'linux/amd64'],
])('%s is %s', (text, normal) => {
  expect(formatPlatform(parsePlatform(text))).toBe(normal);
});
