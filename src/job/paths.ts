import type { JobPaths } from './model.ts';

/** What a process in a container sees: as arvados-cwl-runner has it, so that containers can be shared. */
export const containerPaths: JobPaths = { outdir: '/var/spool/cwl', tmpdir: '/tmp', keep: '/keep' };

/** Stands for directories of the host, which are put in its place where the process starts. */
export const hostRoot = '/hallmark.host';
export const hostPaths: JobPaths = { outdir: `${hostRoot}/out`, tmpdir: `${hostRoot}/tmp`, keep: `${hostRoot}/keep` };
