import type { JobPaths } from '../job/model.ts';

/** What a process sees in a container, as arvados-cwl-runner lays it out. */
export const containerPaths: JobPaths = { outdir: '/var/spool/cwl', tmpdir: '/tmp', keep: '/keep' };

/** On the host: below one prefix that stands for the real scratch folder, which crunch-run puts in its place. */
export const hostPaths: JobPaths = {
  outdir: '/hallmark.host/out',
  tmpdir: '/hallmark.host/tmp',
  keep: '/hallmark.host/keep',
};
