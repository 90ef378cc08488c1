import type { Builtins } from '../port.ts';
import type { BuildDeps } from './build.ts';
import { createBuild } from './build.ts';
import { createPull, type PullDeps } from './pull.ts';

/** The commands of `arvados/builtin`. */
export const createBuiltins = (deps: PullDeps & BuildDeps): Builtins => ({
  pull: createPull(deps),
  build: createBuild(deps),
});
