import { afterAll } from 'vitest';
import { createKeepLayerCache } from '../../src/crunch/images/layer-cache.ts';
import { createMemoryLayerCache } from '../fakes/layer-cache.ts';
import { createSetting, type Setting } from './crunch-setting.ts';
import { describeLayerCache } from './layer-cache.ts';

const settings: Setting[] = [];
afterAll(async () => {
  for (const setting of settings) await setting.close();
});

describeLayerCache('Keep', async () => {
  const setting = await createSetting();
  settings.push(setting);
  const open = () => createKeepLayerCache(setting.api, setting.blocks);
  return { cache: open(), reopen: open };
});

describeLayerCache('memory', async () => {
  const cache = createMemoryLayerCache();
  return { cache, reopen: () => cache };
});
