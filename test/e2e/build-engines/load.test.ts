import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { planArchive } from '../../../src/image/archive/write.ts';
import { buildImage } from '../../../src/image/build/build.ts';
import { planBuild } from '../../../src/image/build/plan/plan.ts';
import { createFakeBuildSandbox } from '../../fakes/build-sandbox.ts';
import { createMemoryLayerCache } from '../../fakes/layer-cache.ts';
import { findDocker } from './engine.ts';

const docker = process.env.HALLMARK_TEST_DOCKER ?? 'docker';

it.skipIf(!findDocker('buildkit'))(
  'docker loads what was built under the same image hash',
  { timeout: 60_000 },
  async () => {
    const image = await buildImage({
      plan: planBuild('FROM scratch\nCOPY <<E /hello\nhi\nE\nENV A=1\nLABEL b=2'),
      bases: new Map(),
      sandbox: createFakeBuildSandbox(),
      cache: createMemoryLayerCache(),
      clampSeconds: 0,
    });
    const { parts } = await planArchive(image, ['built:test']);
    const chunks: Uint8Array[] = [];
    for (const part of parts) {
      if (part.kind === 'bytes') chunks.push(part.bytes);
      else chunks.push(...((await Array.fromAsync(await part.open())) as Uint8Array[]));
    }
    execFileSync(docker, ['load'], { input: Buffer.concat(chunks) });
    expect(execFileSync(docker, ['inspect', '-f', '{{.Id}}', 'built:test']).toString().trim()).toBe(image.imageHash);
  },
);
