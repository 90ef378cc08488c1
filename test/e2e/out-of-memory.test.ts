import { afterAll, beforeAll, expect, it } from 'vitest';
import { listStepRequests } from '../../src/run/run-record.ts';
import { containerOf } from '../fakes/cluster-work.ts';
import { createRunner, type Runner, startToolsRegistry } from './runner.ts';

let runner: Runner;
let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
beforeAll(async () => {
  runner = createRunner('memory');
  registry = await startToolsRegistry();
});
afterAll(async () => {
  await registry.close();
  await runner.remove();
});

/** A shell that holds some 100 MiB at the end. */
const script =
  'a=aaaaaaaaaaaaaaaa; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do a=$a$a; done; echo whole > f';

it('a step that the kernel ends for want of memory is run again with more', { timeout: 120_000 }, async () => {
  const path = runner.write(
    'hungry.cwl',
    `cwlVersion: v1.2
class: CommandLineTool
$namespaces: { arv: "http://arvados.org/cwl#" }
requirements: { ResourceRequirement: { ramMin: 64 } }
hints:
  DockerRequirement: { dockerPull: "${registry.tools}" }
  arv:OutOfMemoryRetry: { memoryRetryMultiplier: 10 }
baseCommand: [sh, -c, "${script}"]
inputs: []
outputs: { f: { type: File, outputBinding: { glob: f } } }
`,
  );
  const { exitCode, stderr } = await runner.run([path]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stderr).toContain('warning: step hungry.cwl ran out of memory with 64.0 MiB: it is run again with 640 MiB\n');
  await runner.withRecords(async (cluster) => {
    const [run] = (await cluster.list('container_requests', { filters: [['properties.hm:status', '=', 'success']] }))
      .items;
    if (!run) throw new Error('no run');
    const requests = await listStepRequests(cluster, run.uuid);
    const containers = requests.filter(({ properties }) => 'hm:step' in properties).map(containerOf);
    const attempts = await Promise.all(containers.map((uuid) => cluster.get('containers', uuid)));
    expect(attempts).toMatchObject([
      { exit_code: 137, runtime_status: { outOfMemory: true } },
      { exit_code: 0, runtime_constraints: { ram: 640 * 2 ** 20 } },
    ]);
  });
  const provenance = await runner.run(['provenance', 'f']);
  expect(provenance.stdout).toMatch(/with more memory than request \S+ "hungry.cwl"/);
});
