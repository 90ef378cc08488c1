import { describe, expect, it } from 'vitest';
import type { Container, ContainerRequest } from '../../api/records.ts';
import { reasonOf } from './failure.ts';

const request = { uuid: 'zzzzz-xvhdp-000000000000000', priority: 500 } as ContainerRequest;
const container = (fields: Partial<Container>) => ({ runtime_status: {}, state: 'Complete', ...fields }) as Container;

describe('the reason of a failure', () => {
  it.each<[string, Container | undefined]>([
    ['exit code 3', container({ exit_code: 3 })],
    ['exit code 137 (out of memory)', container({ exit_code: 137, runtime_status: { outOfMemory: true } })],
    [
      'exit code 137 (killed at 100 MiB)',
      container({ exit_code: 137, runtime_status: { error: 'killed at 100 MiB', outOfMemory: true } }),
    ],
    ['the disk is full', container({ state: 'Cancelled', runtime_status: { error: 'the disk is full' } })],
    ['cancelled', container({ state: 'Cancelled' })],
    ['request zzzzz-xvhdp-000000000000000 got no container', undefined],
  ])('is "%s"', (reason, ended) => {
    expect(reasonOf(request, ended)).toBe(reason);
  });

  it('is that it was cancelled before it got a container', () => {
    expect(reasonOf({ ...request, priority: 0 }, undefined)).toBe('cancelled');
  });
});
