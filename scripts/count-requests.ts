/** count-requests.ts first|last: what the first or newest run of the home asked for: `pulls=1 builds=1 reused=0`. */
import { withCluster } from '../src/cli/wire/cluster.ts';
import { listRuns, listStepRequests } from '../src/run/run-record.ts';

await withCluster(async ({ api }) => {
  const runs = await listRuns(api, 1000);
  const run = process.argv[2] === 'first' ? runs.at(-1) : runs[0];
  const requests = run ? await listStepRequests(api, run.uuid) : [];
  const count = { pulls: 0, builds: 0, reused: 0 };
  for (const request of requests) {
    if (request.command[1] === 'pull') count.pulls += 1;
    if (request.command[1] === 'build') count.builds += 1;
    const { items } = await api.list('container_requests', {
      filters: [['container_uuid', '=', request.container_uuid]],
      order: ['created_at', 'uuid'],
      limit: 1,
    });
    if (items[0]?.uuid !== request.uuid) count.reused += 1;
  }
  console.log(`pulls=${count.pulls} builds=${count.builds} reused=${count.reused}`);
});
