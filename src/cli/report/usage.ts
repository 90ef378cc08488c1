import type { ClusterApi } from '../../api/port.ts';
import type { Container } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import { formatBytes } from '../../core/units.ts';
import { listStepRequests } from '../../run/run-record.ts';
import { formatTable } from '../terminal/table.ts';

const head = ['step', 'wall s', 'CPU s', 'peak RAM', 'exit code'];

/**
 * What each container of a run used, as its record says, in the order of the requests. A figure that nobody measured is "-";
 * a container that was reused says what it used when it ran.
 */
export async function usageTable(api: ClusterApi, run: Uuid): Promise<string> {
  const requests = await listStepRequests(api, run);
  const rows = await Promise.all(
    requests.map(async ({ properties, name, container_uuid }) => {
      const step = String(properties['hm:step'] ?? name);
      return [step, ...toFigures(container_uuid === null ? undefined : await api.get('containers', container_uuid))];
    }),
  );
  return formatTable(head, rows);
}

function toFigures(container: Container | undefined): string[] {
  const { wallSeconds, cpuSeconds, peakRamBytes } = container?.runtime_status.usage ?? {};
  return [
    wallSeconds?.toFixed(2) ?? '-',
    cpuSeconds?.toFixed(2) ?? '-',
    peakRamBytes === undefined ? '-' : formatBytes(peakRamBytes),
    container?.exit_code?.toString() ?? '-',
  ];
}
