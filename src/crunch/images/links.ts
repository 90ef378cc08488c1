import type { ClusterApi } from '../../api/port.ts';
import type { Uuid } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';

/** The links by which Arvados clients before the properties find an image (`arv-keepdocker`). */
export async function linkImage(api: ClusterApi, collection: Uuid, properties: JsonObject): Promise<void> {
  const link = { head_uuid: collection, properties: { image_timestamp: properties['docker-image-timestamp'] ?? '' } };
  const name = properties['docker-image-repo-tag'];
  const hash = String(properties['docker-image-hash']).slice('sha256:'.length);
  if (typeof name === 'string') await api.create('links', { ...link, link_class: 'docker_image_repo+tag', name });
  await api.create('links', { ...link, link_class: 'docker_image_hash', name: hash });
}
