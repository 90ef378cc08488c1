import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { toDigest } from '../../src/core/ids.ts';
import type { Image, Layer } from '../../src/image/model.ts';
import { imageOf, layerOf, smallImage, tarOf } from '../fakes/registry-images.ts';
import { validateImage } from './validate-image.ts';

const image = smallImage('one', 'two');
const first = image.layers[0] ?? expect.fail('no layer');
const zero = toDigest(`sha256:${'0'.repeat(64)}`);
const withLayer = (layer: Layer): Image => ({ ...image, layers: [layer, ...image.layers.slice(1)] });

describe('validateImage', () => {
  it('accepts an image that is what it says', async () => {
    await validateImage(image);
    await validateImage(imageOf([]));
  });

  it.each<[string, Image, string, RegExp]>([
    ['another hash', { ...image, imageHash: zero }, 'image/digest-mismatch', /its config has the digest/],
    [
      'another config',
      { ...image, configBytes: Buffer.from('{}') },
      'image/digest-mismatch',
      /its config has the digest/,
    ],
    ['a layer too few', { ...image, layers: [first] }, 'image/bad-manifest', /expected 2 layers, got 1/],
    [
      'another diff id',
      withLayer({ ...first, diffId: zero }),
      'image/digest-mismatch',
      /layer 0: expected the diff id/,
    ],
    ['layers in another order', { ...image, layers: image.layers.toReversed() }, 'image/digest-mismatch', /layer 0/],
    [
      'other bytes',
      withLayer({ ...first, open: async () => Readable.from([Buffer.from('x')]) }),
      'image/blob-damaged',
      /bytes, got 1/,
    ],
    [
      'content of another diff id',
      withLayer({ ...layerOf(tarOf([])), diffId: first.diffId }),
      'image/digest-mismatch',
      /expected the diff id/,
    ],
  ])('refuses %s', async (_what, broken, code, message) => {
    await expect(validateImage(broken)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
