import type { ClusterApi } from '../../src/api/port.ts';
import { builtinImage, type CollectionRecord, type ContainerRequest, type Mounts } from '../../src/api/records.ts';
import type { PortableDataHash, Uuid } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { createCollectionWriter } from '../../src/keep/collection-writer.ts';
import type { BlockStore } from '../../src/keep/port.ts';

/** Makes records through the cluster, as the runner and crunch-run do. */
export function createRecorder(api: ClusterApi, blocks: BlockStore) {
  const collection = async (
    files: Readonly<Record<string, string>>,
    attributes: Partial<CollectionRecord> = {},
  ): Promise<CollectionRecord> => {
    const writer = createCollectionWriter(blocks);
    for (const [path, text] of Object.entries(files)) await writer.addBytes(path, text);
    return api.create('collections', { manifest_text: writer.finish().manifestText, ...attributes });
  };

  /** A request that was run to its end; `output` is what its container made. */
  const finished = async (
    attributes: Partial<ContainerRequest>,
    output: CollectionRecord,
  ): Promise<ContainerRequest> => {
    const builtin = (attributes.container_image ?? builtinImage) === builtinImage;
    const request = await api.create('container_requests', {
      container_image: builtinImage,
      command: ['true'],
      output_path: builtin ? '/' : '/out',
      runtime_constraints: { API: true, ram: 1 << 20, vcpus: 1 },
      ...attributes,
      mounts: { ...attributes.mounts, ...(builtin ? {} : { '/out': { kind: 'tmp', capacity: 1 } }) },
      state: 'Committed',
      priority: 500,
    });
    const container = containerOf(request);
    await api.update('containers', container, { state: 'Locked' });
    await api.update('containers', container, { state: 'Running' });
    const { portable_data_hash, properties } = output;
    await api.update('containers', container, {
      state: 'Complete',
      exit_code: 0,
      output: portable_data_hash,
      log: (await collection({ 'stderr.txt': '' }, { name: 'Log' })).portable_data_hash,
      output_properties: builtin ? properties : {},
    });
    return api.get('container_requests', request.uuid);
  };

  /** The same request once more, which the container of the first satisfies. */
  const repeat = (request: ContainerRequest, changes: Partial<ContainerRequest>): Promise<ContainerRequest> => {
    const { name, command, container_image, mounts, environment, output_path, runtime_constraints } = request;
    const work = { name, command, container_image, mounts, environment, output_path, runtime_constraints };
    return api.create('container_requests', { ...work, ...changes, state: 'Committed', priority: 500 });
  };

  const image = (name: string, digest: string, extra: JsonObject = {}) => {
    const hash = `sha256:${digest.repeat(64)}`;
    return collection(
      { [`${hash}.tar`]: `archive of ${name} ${digest}` },
      {
        name,
        properties: {
          'docker-image-repo-tag': name,
          'docker-image-hash': hash,
          'docker-image-timestamp': '2025-12-01T00:00:00Z',
          ...extra,
        },
      },
    );
  };
  return { collection, finished, repeat, image };
}

export const collectionMount = (portable_data_hash: PortableDataHash): Mounts[string] => ({
  kind: 'collection',
  portable_data_hash,
});

export const dockerfileText = 'FROM debian:stable-slim\nRUN apt-get install -y bwa bcftools\n';
export const baseDigest = `sha256:${'d'.repeat(64)}`;

/** A run of two steps, `align` and `call`, in one image built on a pulled base; the work tree had changes. */
export async function recordRun(api: ClusterApi, blocks: BlockStore) {
  const { collection, finished, image } = createRecorder(api, blocks);
  const reads = await collection({ 's1.fq': '@r1\nACGT\n' }, { name: 'Input s1.fq' });
  const context = await collection({ 'tools/plot.R': 'plot()' }, { name: 'Input tools' });
  const run = await api.create('container_requests', {
    name: 'variants.cwl',
    command: ['cwl-runner', '--local', '/var/lib/cwl/workflow.json', '/var/lib/cwl/cwl.input.json'],
    container_image: builtinImage,
    properties: { 'hm:kind': 'run', 'hm:status': 'success', 'hm:document': 'file:///home/ada/variants.cwl' },
  });
  const properties = { 'hm:run': run.uuid };
  const base = await image('debian:stable-slim', 'a', { 'docker-image-digest': baseDigest });
  const pull = await finished(
    { name: 'pull debian:stable-slim', command: ['docker', 'pull', 'debian:stable-slim'], properties },
    base,
  );
  const tools = await image('variants:latest', 'b');
  const build = await finished(
    {
      name: 'build variants:latest',
      command: ['docker', 'build'],
      environment: { BWA: '0.7.17' },
      mounts: {
        '/': collectionMount(context.portable_data_hash),
        '/Dockerfile': { kind: 'text', content: dockerfileText },
        '/FROM/debian:stable-slim': collectionMount(base.portable_data_hash),
      },
      properties: {
        ...properties,
        'arv:gitCommit': '0123456789abcdef0123456789abcdef01234567',
        'arv:gitBranch': 'main',
        'arv:gitOrigin': 'https://git.example/ada/variants.git',
        'arv:gitStatus': ' M Dockerfile',
      },
    },
    tools,
  );
  const bam = await collection({ 's1.bam': 'BAM of s1' }, { name: 'Output of align' });
  const align = await finished(
    {
      name: 'align',
      command: ['bwa', 'mem', '/keep/reads/s1.fq'],
      container_image: tools.portable_data_hash,
      mounts: { '/keep/reads': collectionMount(reads.portable_data_hash) },
      properties,
    },
    bam,
  );
  const vcf = await collection({ 's1.vcf': 'VCF of s1', 'log/notes.txt': 'n' }, { name: 'Output of call' });
  const call = await finished(
    {
      name: 'call',
      command: ['bcftools', 'call', '/keep/bam/s1.bam'],
      container_image: tools.portable_data_hash,
      mounts: { '/keep/bam': collectionMount(bam.portable_data_hash) },
      properties,
    },
    vcf,
  );
  return { reads, context, run, base, pull, tools, build, bam, align, vcf, call };
}

export type RecordedRun = Awaited<ReturnType<typeof recordRun>>;

/** The uuid of the container that a request got. */
export function containerOf(request: ContainerRequest): Uuid {
  if (request.container_uuid) return request.container_uuid;
  throw new Error(`request ${request.uuid} has no container`);
}
