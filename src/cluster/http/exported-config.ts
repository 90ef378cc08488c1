/** What `GET /arvados/v1/config` tells of an embedded cluster: the part of Arvados' configuration that its clients read. */
export function exportedConfig(origin: string, clusterId: string): object {
  const none = { ExternalURL: '' };
  return {
    ClusterID: clusterId,
    Services: { Controller: { ExternalURL: `${origin}/` }, Workbench1: none, Workbench2: none },
    Collections: { BlobSigning: false, CollectionVersioning: false },
    Containers: { DefaultKeepCacheRAM: 0 },
    StorageClasses: { default: { Default: true, Priority: 0 } },
  };
}
