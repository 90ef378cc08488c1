import type { ClusterEvent } from './port.ts';

/** Whether one of the attributes may be other than it was. */
export const mayHaveChanged = ({ attributes }: ClusterEvent, names: readonly string[]): boolean =>
  attributes === undefined || names.some((name) => attributes.includes(name));
