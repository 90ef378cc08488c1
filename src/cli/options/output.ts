import { flag, list, text } from './flag.ts';

const group = 'Output:';

/** What a run leaves and says. */
export const outputFlags = {
  outdir: text('folder for the output files', { default: '.', group }),
  basedir: text('folder that relative paths of inputs start from (default: that of the inputs file)', { group }),
  'move-outputs': flag('put the output files into --outdir (default)', { means: { leaveOutputs: false }, group }),
  'copy-outputs': flag('the same: results of steps stay in Keep', { means: { leaveOutputs: false }, group }),
  'leave-outputs': flag('leave the output files in Keep: locations are keep:', { group }),
  'compute-checksum': flag('sha1 checksums in the output object', { default: true, group }),
  'write-summary': text('also write the output object to this file', { alias: 'w', group }),
  'log-dir': text('write standard output and error of each step below this folder', { group }),
  quiet: flag('only errors on standard error', { group }),
  verbose: flag('say more', { group }),
  debug: flag('say most, with stack traces', { group }),
  warnings: flag('print warnings about the document', { default: true, group }),
  timestamps: flag('a time before each line', { group }),
  'log-timestamps': flag('--timestamps', { means: { timestamps: true }, group }),
  json: flag('errors and reports as JSON', { group }),
  usage: flag('a table of time, CPU and memory of each step at the end', { group }),
  metrics: flag('--usage', { means: { usage: true }, group }),
  'enable-usage-report': flag('--usage', { means: { usage: true }, group }),
  'disable-usage-report': flag('--no-usage', { means: { usage: false }, group }),
  name: text('name of the run in the records (default: that of the document)', { group }),
} as const;

/** Which inputs come from where. */
export const inputFlags = {
  'varying-url-params': text('parameters of URLs, separated by commas, that do not tell files apart', {
    group: 'Inputs:',
  }),
  'prefer-cached-downloads': flag('take what Keep has of a URL without asking the server', { group: 'Inputs:' }),
  'http-timeout': {
    type: 'number',
    default: 300,
    description: 'seconds that a server may be silent',
    group: 'Inputs:',
  },
  'allow-read': list('documents may read files below this folder; may be repeated', { group: 'Inputs:' }),
  'allow-private-network': flag('documents may read from private addresses', { group: 'Inputs:' }),
} as const;
