import { describe, expect, it } from 'vitest';
import { withCode } from '../../test/fakes/job-kit.ts';
import type { ContainerRequest } from '../api/records.ts';
import type { Capabilities } from './capabilities.ts';
import { toAttributes, toRecord } from './wire.ts';

const stock: Capabilities = {
  ...{ clusterId: 'zzzzz', revision: '20250402', maxRequestBytes: 1000, defaultReplication: 2, gpu: 'any' },
  ...{ builtinRequests: false, hostRequests: false, ownParameters: false },
  ...{ outputGlob: true, outputProperties: true, outputStorageClasses: true, services: true },
};
const old: Capabilities = {
  ...{
    ...stock,
    outputGlob: false,
    outputProperties: false,
    outputStorageClasses: false,
    services: false,
    gpu: 'cuda',
  },
};
const send = (request: Partial<ContainerRequest>, can: Capabilities) =>
  toAttributes('container_requests', request, can);
const gpu = (stack: 'cuda' | 'rocm') => ({
  runtime_constraints: {
    ...{ ram: 1, vcpus: 1 },
    gpu: { stack, device_count: 2, driver_version: '11.0', hardware_target: ['9.0', '8.0'], vram: 7 },
  },
});

describe('a request on its way', () => {
  it('leaves out what an older cluster does not know', () => {
    const request = { name: 's', output_glob: ['*'], output_properties: { a: 1 }, output_storage_classes: ['x'] };
    expect(send(request, stock)).toEqual(request);
    expect(send(request, old)).toEqual({ name: 's' });
  });

  it('keeps parameters of ours from a cluster that does not heed them', () => {
    const request = { scheduling_parameters: { max_run_time: 7, 'hm:executor': 'docker' } } as const;
    expect(send(request, stock)).toEqual({ scheduling_parameters: { max_run_time: 7 } });
    expect(send(request, { ...stock, ownParameters: true })).toEqual(request);
  });

  it('asks for GPUs as the cluster understands it', () => {
    expect(send(gpu('rocm'), stock)).toEqual(gpu('rocm'));
    const cuda = { device_count: 2, driver_version: '11.0', hardware_capability: '9.0' };
    expect(send(gpu('cuda'), old)).toEqual({ runtime_constraints: { ram: 1, vcpus: 1, cuda } });
    expect(() => send(gpu('rocm'), old)).toThrowError('this cluster has no GPUs of rocm');
  });

  it.each<[string, Partial<ContainerRequest>, Capabilities]>([
    ['align: this cluster publishes no ports of containers', { name: 'align', service: true }, old],
    [
      'docker pull a: this cluster has no builtin requests: it cannot docker pull a',
      {
        name: 'docker pull a',
        container_image: 'arvados/builtin',
        command: ['docker', 'pull', 'a'],
        state: 'Committed',
      },
      stock,
    ],
    [
      'step: this cluster runs nothing outside a container, and the tool names no image',
      { name: 'step', container_image: 'hallmark/host', state: 'Committed' },
      stock,
    ],
  ])('is refused before it is sent: %s', (message, request, can) => {
    expect(() => send(request, can)).toThrowError(expect.objectContaining({ code: 'api/unsupported', message }));
  });

  it('may stand for a run that no cluster executes', () => {
    const record = { container_image: 'arvados/builtin', state: 'Uncommitted' } as const;
    expect(send(record, stock)).toEqual(record);
  });
});

describe('a record that came', () => {
  it('has empty values for what the cluster leaves out', () => {
    const record = toRecord('container_requests', {
      kind: 'k',
      etag: 'e',
      uuid: 'u',
      properties: null,
      output_glob: null,
    });
    expect(record).toMatchObject({ uuid: 'u', properties: {}, output_glob: [], secret_mounts: {}, priority: 0 });
    expect(record).not.toHaveProperty('kind');
  });

  it('has no more than was selected', () => {
    expect(toRecord('containers', { kind: 'k', state: 'Queued' }, ['state'])).toEqual({ state: 'Queued' });
  });

  it.each([[null], [[]], [{}], [{ uuid: 7 }]])('is not %j', (value) => {
    expect(() => toRecord('links', value)).toThrowError(
      withCode('api/bad-response', /^expected a record of links, got/),
    );
  });
});
