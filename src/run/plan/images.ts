import type { ContainerRequest } from '../../api/records.ts';
import { toMessage } from '../../core/errors.ts';
import { redact } from '../../image/redact.ts';
import { type ImageReference, parseReference } from '../../image/reference.ts';
import type { RunEvent } from '../events.ts';
import type { ImagePlan } from './model.ts';

/** The URLs that a build has things from. */
function toFetched(targets: readonly string[]): string {
  const urls = targets.flatMap((target) => (target.startsWith('/ADD/') ? [redact(target.slice('/ADD/'.length))] : []));
  return urls.length === 0 ? '' : `; it adds ${urls.join(', ')}`;
}

/** What a registry says that a pull would read; no layer is read for it. */
export type AskRegistry = (
  reference: ImageReference,
) => Promise<{ readonly sizeBytes: number; readonly layers: readonly unknown[] }>;

/** Collects what becomes of images, each told once. */
export interface ImagePlans {
  readonly plans: () => readonly ImagePlan[];
  readonly onEvent: (event: RunEvent) => void;
  /** Of a builtin request that would run. */
  readonly addRequest: (attributes: Partial<ContainerRequest>) => Promise<void>;
  /** Of an archive or root file system that the document names. */
  readonly addStored: (name: string) => void;
  /** Of a build whose base has to be made first; `key` tells builds apart. */
  readonly addBlockedBuild: (key: string, name: string) => void;
}

export function createImagePlans(askRegistry: AskRegistry): ImagePlans {
  const plans = new Map<string, ImagePlan>();
  const add = (key: string, plan: ImagePlan) => {
    if (!plans.has(key)) plans.set(key, plan);
  };
  return {
    plans: () => [...plans.values()],
    onEvent(event) {
      if (event.type !== 'image') return;
      const { reference: image, status } = event;
      if (status === 'found') add(`found ${image}`, { image, action: 'found', because: 'it is in Keep' });
      if (status === 'ready')
        add(`ready ${image}`, { image, action: 'reuse', because: 'an equal build or pull has made it' });
    },
    async addRequest({ command = [], name = '', mounts = {}, environment = {} }) {
      if (command[1] === 'pull') {
        const image = command[2] ?? '';
        if (!plans.has(`pull ${image}`)) add(`pull ${image}`, { image, action: 'pull', ...(await measure(image)) });
        return;
      }
      const key = JSON.stringify([command, mounts, environment]);
      const because = `no equal build has been done${toFetched(Object.keys(mounts))}`;
      add(key, { image: name.replace(/^build /, ''), action: 'build', because });
    },
    addStored: (image) =>
      add(`store ${image}`, { image, action: 'store', because: 'Keep does not have the image of this file' }),
    addBlockedBuild: (key, image) =>
      add(key, { image, action: 'build', because: 'its base image has to be made first' }),
  };

  async function measure(image: string): Promise<Omit<ImagePlan, 'image' | 'action'>> {
    const because = 'Keep does not have it, or not the newest';
    try {
      const { sizeBytes, layers } = await askRegistry(parseReference(image));
      return { because, sizeBytes, layers: layers.length };
    } catch (error) {
      return { because: `${because}; its registry does not tell the size: ${toMessage(error).split('\n')[0]}` };
    }
  }
}
