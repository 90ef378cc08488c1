import { flag, list, number, text } from './flag.ts';

const group = 'Run:';

/** How steps are run. */
export const runFlags = {
  'on-error': {
    type: 'string',
    choices: ['stop', 'continue'],
    default: 'stop',
    description: 'what to do with the other steps when one fails',
    group,
  },
  parallel: flag('run steps side by side (always on)', { group }),
  'parallel-max': number('at most this many containers at once', { group }),
  'enable-reuse': flag('take the results of equal earlier steps', { default: true, group }),
  'disable-reuse': flag('run every step', { means: { enableReuse: false }, group }),
  cachedir: text('take and keep results here instead of in the home', { group }),
  'eval-timeout': number('seconds that one expression may take', { default: 60, group }),
  target: list('only what this output or step needs; may be repeated', { alias: 't', group }),
  'single-step': text('only this step of the workflow: the inputs are those of the step', { group }),
  'single-process': text('only what this step runs: the inputs are those of the process', { group }),
  'preserve-environment': list('pass this variable to tools on the host', { group }),
  'preserve-entire-environment': flag('pass the whole environment to tools on the host', { group }),
  'tmpdir-prefix': text('scratch folders of containers lie under this path', { group }),
  'tmp-outdir-prefix': text('the same; --tmpdir-prefix wins', { group }),
  'leave-tmpdir': flag('keep the scratch folders of containers, and say where', { group }),
  'rm-tmpdir': flag('--no-leave-tmpdir (default)', { means: { leaveTmpdir: false }, group }),
  plan: flag('print what each step would do, and do nothing', { group }),
  'project-uuid': text('of a real cluster: the project that requests and results are put into', { group }),
  priority: number('of the containers: 1 to 1000, higher ones run first', { group }),
  'intermediate-output-ttl': number('seconds until outputs of steps are trashed; 0: never', { group }),
  'intermediate-storage-classes': text('of the outputs of steps, separated by commas', { group }),
  'enable-preemptible': flag('steps may run on machines that can be taken away', { group }),
  'disable-preemptible': flag('--no-enable-preemptible', { means: { enablePreemptible: false }, group }),
} as const;
