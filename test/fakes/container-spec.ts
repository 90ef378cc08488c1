import type { ContainerSpec } from '../../src/executor/port.ts';

let count = 0;

/** A container that does nothing, with no mounts, no network and nobody who listens; a test says what it wants otherwise. */
export function toContainerSpec({
  scratchDir,
  ...more
}: Partial<ContainerSpec> & Pick<ContainerSpec, 'scratchDir'>): ContainerSpec {
  count += 1;
  return {
    id: `test-${process.pid}-${count}`,
    command: ['true'],
    workingDir: '/',
    environment: { PATH: '/usr/bin:/bin' },
    binds: [],
    tmpfs: [],
    network: false,
    stdout: { kind: 'ignore' },
    stderr: { kind: 'ignore' },
    scratchDir,
    ...more,
  };
}
