import { documentFlags } from './document.ts';
import type { Flag, ValuesOf } from './flag.ts';
import { foreignFlags } from './foreign.ts';
import { imageFlags } from './images.ts';
import { inputFlags, outputFlags } from './output.ts';
import { runFlags } from './run.ts';

/** Flags of a run, as the help groups them. Those shared with cwltool and arvados-cwl-runner keep their names. */
const ownFlags = { ...outputFlags, ...inputFlags, ...runFlags, ...imageFlags, ...documentFlags } as const;

export const runOptions: Readonly<Record<string, Flag>> = { ...ownFlags, ...foreignFlags };

/** What the flags come to; names in camel case. */
export type RunFlags = ValuesOf<typeof ownFlags>;
