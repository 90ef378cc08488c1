import { describe, expect, it } from 'vitest';
import { createBuildSandbox } from './build.ts';
import { emulationBinds } from './emulated-root.ts';
import type { Ground } from './ground.ts';

describe('a user with a single id', () => {
  it('is told before a build starts where root cannot be emulated', async () => {
    const ground = { idMap: { kind: 'single' } } as Ground;
    await expect(createBuildSandbox(async () => ground).openRoot([])).rejects.toMatchObject({
      code: 'executor/unavailable',
      message: expect.stringContaining('no range in /etc/subuid'),
      hint: expect.stringContaining('usermod --add-subuids'),
    });
  });

  it('gets settings for apt only where the image has apt', () => {
    expect(emulationBinds({ filter: Buffer.alloc(0), command: [], aptSettings: '/settings' }, [])).toEqual([]);
    expect(emulationBinds(undefined, ['/'])).toEqual([]);
  });
});
