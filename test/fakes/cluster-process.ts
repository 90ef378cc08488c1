/**
 * A runner process for tests: `node cluster-process.ts FILE COUNT MODE`. Submits COUNT requests named by their number and
 * dispatches them; each container notes its start and end in FILE.notes. `wait` containers do not end by themselves;
 * `slow` ones take a moment. Prints `submitted`, `running UUID` for each start and `done` when all of its requests are final.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCluster } from '../../src/cluster/cluster.ts';
import { createDispatcher } from '../../src/cluster/dispatch/dispatcher.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { complete, hostRequest, start } from './cluster-work.ts';

const [path = '', count = '1', mode = 'slow'] = process.argv.slice(2);
const cluster = openCluster({ path });
const note = (text: string) => appendFileSync(`${path}.notes`, `${text}\n`);

const dispatcher = createDispatcher({
  cluster,
  capacity: { ramBytes: 1 << 30, vcpus: 4 },
  logger: silentLogger,
  ahead: true,
  runContainer: async (container, signal, onEnded, turn) => {
    await Promise.race([turn, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    signal.throwIfAborted();
    await start(cluster, container.uuid);
    note(`start ${container.uuid} ${container.command.join(' ')}`);
    console.log(`running ${container.uuid}`);
    await sleep(mode === 'wait' ? 60_000 : 2, undefined, { signal });
    note(`end ${container.uuid} ${container.command.join(' ')}`);
    await complete(cluster, container.uuid);
    onEnded();
  },
});

const made = await Promise.all(
  Array.from({ length: Number(count) }, (_, index) =>
    cluster.create('container_requests', hostRequest({ command: ['work', String(index)] })),
  ),
);
console.log('submitted');
const isFinal = async () => {
  const filters = [
    ['uuid', 'in', made.map(({ uuid }) => uuid)],
    ['state', '=', 'Final'],
  ] as const;
  return (await cluster.list('container_requests', { filters, limit: 0 })).itemsAvailable === made.length;
};
while (!(await isFinal())) await sleep(5);
await dispatcher.stop();
cluster.close();
console.log('done');
