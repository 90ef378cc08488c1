import type { MapRequirement } from '../contribution.ts';

export const mapApi: MapRequirement = () => ({ runtimeConstraints: { API: true } });
