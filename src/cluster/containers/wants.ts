import type { ContainerWork } from '../../api/records.ts';

/** What a container takes of the machine while it runs. */
export interface Wants {
  readonly ram: number;
  /** May be a part of one. */
  readonly cores: number;
}

export const wantsOf = (
  work: Readonly<Pick<ContainerWork, 'runtime_constraints' | 'scheduling_parameters'>>,
): Wants => ({
  ram: work.runtime_constraints.ram,
  cores: work.scheduling_parameters['hm:cores'] ?? work.runtime_constraints.vcpus,
});

export const isWithin = (some: Wants, all: Wants): boolean => some.ram <= all.ram && some.cores <= all.cores;
