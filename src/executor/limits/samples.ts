import type { ContainerUsage } from '../port.ts';

/** The higher of each figure: none of them falls, but what was seen of a process may be gone with it. */
export function higherOf(one: ContainerUsage, other: ContainerUsage): ContainerUsage {
  const names = Object.keys({ ...one, ...other }) as (keyof ContainerUsage)[];
  return Object.fromEntries(names.map((name) => [name, Math.max(one[name] ?? 0, other[name] ?? 0)]));
}
