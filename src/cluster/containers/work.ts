import { createHmac, hash } from 'node:crypto';
import type { ContainerWork, Mount, Mounts } from '../../api/records.ts';
import { builtinImage, hostImage } from '../../api/records.ts';
import { toCanonicalJson } from '../../core/json.ts';
import type { Store } from '../store/store.ts';

/** What decides whether two pieces of work are the same; the names are those that `explainReuse` gives. */
export interface WorkIdentity {
  readonly command: readonly string[];
  readonly container_image: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: Readonly<Record<string, unknown>>;
  readonly output_path: string;
  readonly output_glob: readonly string[];
  readonly secret_mounts: string;
  readonly network: boolean;
}

/** `mounts` and `container_image` are resolved: no uuid, no name is in them. */
export function toWorkIdentity(store: Store, work: ContainerWork, secretMountsKey: string): WorkIdentity {
  const isBuiltin = work.container_image === builtinImage;
  const mounts = Object.entries(work.mounts).map(([target, mount]) => [
    target,
    toMountIdentity(store, mount, isBuiltin),
  ]);
  return {
    command: work.command,
    container_image: imageIdentity(store, work.container_image),
    cwd: work.cwd === '' ? '.' : work.cwd,
    environment: work.environment,
    mounts: Object.fromEntries(mounts),
    output_path: work.output_path === '/' ? '/' : work.output_path.replace(/\/+$/, ''),
    output_glob: [...work.output_glob].sort(),
    secret_mounts: secretMountsKey,
    network: work.runtime_constraints.API === true,
  };
}

export function toReuseKey(identity: WorkIdentity): string {
  return hash('sha256', toCanonicalJson(identity), 'hex').slice(0, 40);
}

/** Names the secrets without giving them away: keyed, so that guesses cannot be checked without the home's own key. */
export function toSecretMountsKey(store: Store, secretMounts: Mounts): string {
  if (Object.keys(secretMounts).length === 0) return '';
  return createHmac('sha256', store.secretKey).update(toCanonicalJson(secretMounts)).digest('hex').slice(0, 40);
}

/** The image itself: two archives of one image are one image. An archive that does not say its image stands for itself. */
function imageIdentity(store: Store, image: string): string {
  if (image === builtinImage || image === hostImage) return image;
  const row = store.db.get('SELECT image_hash FROM manifests WHERE portable_data_hash = ?', image);
  return String(row?.image_hash ?? image);
}

function toMountIdentity(store: Store, mount: Mount, isBuiltin: boolean): unknown {
  switch (mount.kind) {
    case 'collection': {
      const path = (mount.path ?? '/').replace(/^\/+|\/+$/g, '');
      const content = mount.portable_data_hash ?? '';
      // The base images of a build are mounted as archives; what is built depends on the image.
      const identity = isBuiltin && path === '' ? imageIdentity(store, content) : content;
      return { kind: 'collection', content: identity, path, writable: mount.writable === true };
    }
    case 'tmp':
      return { kind: 'tmp' };
    case 'git_tree':
      return { kind: 'git_tree', commit: mount.commit, path: (mount.path ?? '/').replace(/^\/+|\/+$/g, '') };
    case 'text':
    case 'json':
    case 'file':
      return mount;
  }
}
