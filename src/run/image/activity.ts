import type { ClusterApi } from '../../api/port.ts';
import type { ContainerRequest } from '../../api/records.ts';

/** Tells each new `runtime_status.activity` of the container of a pull or build. Returns the call that ends it. */
export function watchActivity(
  api: ClusterApi,
  { container_uuid: container }: ContainerRequest,
  onActivity: (text: string) => void,
): () => void {
  let last: string | undefined;
  const look = async (uuid: NonNullable<typeof container>): Promise<void> => {
    const { activity } = (await api.get('containers', uuid)).runtime_status;
    if (activity === undefined || activity === last) return;
    last = activity;
    onActivity(activity);
  };
  return api.watch(({ uuid }) => {
    // Progress is for people: what cannot be read now is told with the next change.
    if (uuid === container) look(uuid).catch(() => {});
  });
}
