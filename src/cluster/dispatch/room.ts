import type { Wants } from '../containers/wants.ts';

/** What this machine has for containers: of all processes that share the home together. */
export interface Capacity {
  readonly ramBytes: number;
  readonly vcpus: number;
}

/** Sums of parts are rounded: two hundred hundredths are two cores. */
const slack = 1e-6;

/** What is left of the machine beside containers that run. */
export class Room {
  readonly isEmpty: boolean;
  #ram: number;
  #cores: number;

  constructor({ ramBytes, vcpus }: Capacity, used: readonly Wants[]) {
    this.isEmpty = used.length === 0;
    this.#ram = used.reduce((left, { ram }) => left - ram, ramBytes);
    this.#cores = used.reduce((left, { cores }) => left - cores, vcpus);
  }

  /** Nothing that wants some of both fits. */
  get isFull(): boolean {
    return this.#ram <= 0 || this.#cores <= slack;
  }

  /** Whether it fits; there is so much less room then. */
  take({ ram, cores }: Wants): boolean {
    if (ram > this.#ram || cores > this.#cores + slack) return false;
    this.#ram -= ram;
    this.#cores -= cores;
    return true;
  }
}
