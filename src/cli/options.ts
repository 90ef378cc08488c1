import type { Options } from 'yargs';
import { type BuilderName, builderChoices, executorChoices } from './config.ts';

const flag = (description: string, extra: Options = {}): Options => ({ type: 'boolean', description, ...extra });
const text = (description: string, extra: Options = {}): Options => ({
  type: 'string',
  requiresArg: true,
  description,
  ...extra,
});

/** Flags of a run, grouped as the help prints them. Those shared with cwltool and arvados-cwl-runner keep their names. */
export const runOptions = {
  outdir: text('folder for the output files', { default: '.', group: 'Output:' }),
  basedir: text('folder that relative paths of inputs start from (default: that of the inputs file)', {
    group: 'Output:',
  }),
  'compute-checksum': flag('sha1 checksums in the output object', { default: true, group: 'Output:' }),
  'write-summary': text('also write the output object to this file', { alias: 'w', group: 'Output:' }),
  quiet: flag('only errors on standard error', { group: 'Output:' }),
  verbose: flag('say more', { group: 'Output:' }),
  debug: flag('say most, with stack traces', { group: 'Output:' }),
  timestamps: flag('a time before each line', { group: 'Output:' }),
  json: flag('errors and reports as JSON', { group: 'Output:' }),
  usage: flag('a table of time, CPU and memory of each step at the end', { group: 'Output:' }),

  'on-error': {
    type: 'string',
    choices: ['stop', 'continue'],
    default: 'stop',
    description: 'what to do with the other steps when one fails',
    group: 'Run:',
  },
  parallel: flag('run steps side by side (always on)', { group: 'Run:' }),
  'parallel-max': { type: 'number', description: 'at most this many containers at once', group: 'Run:' },
  'enable-reuse': flag('take the results of equal earlier steps', { default: true, group: 'Run:' }),
  'disable-reuse': flag('run every step', { group: 'Run:' }),
  cachedir: text('take and keep results here instead of in the home', { group: 'Run:' }),
  'eval-timeout': { type: 'number', default: 60, description: 'seconds that one expression may take', group: 'Run:' },
  target: {
    type: 'string',
    array: true,
    nargs: 1,
    alias: 't',
    description: 'only what this output or step needs; may be repeated',
    group: 'Run:',
  },
  'preserve-environment': {
    type: 'string',
    array: true,
    nargs: 1,
    description: 'pass this variable to tools on the host',
    group: 'Run:',
  },
  'preserve-entire-environment': flag('pass the whole environment to tools on the host', { group: 'Run:' }),
  'tmpdir-prefix': text('scratch folders of containers lie under this path', { group: 'Run:' }),
  'tmp-outdir-prefix': text('the same; --tmpdir-prefix wins', { group: 'Run:' }),
  plan: flag('print what each step would do, and do nothing', { group: 'Run:' }),

  pull: {
    type: 'string',
    choices: ['missing', 'newer', 'always', 'never'],
    default: 'missing',
    description: 'when to ask a registry',
    group: 'Images:',
  },
  'force-docker-pull': flag('--pull=always', { group: 'Images:' }),
  'disable-pull': flag('--pull=never', { group: 'Images:' }),
  container: flag('run tools in their containers', { default: true, group: 'Images:' }),
  'default-container': text('image for tools that name none', { group: 'Images:' }),
  executor: {
    type: 'string',
    choices: executorChoices,
    description: 'what runs containers (default: $HALLMARK_EXECUTOR, else sandbox)',
    group: 'Images:',
  },
  builder: {
    type: 'string',
    choices: builderChoices,
    description: 'what builds images (default: $HALLMARK_BUILDER, else hallmark)',
    group: 'Images:',
  },
  secret: {
    type: 'string',
    array: true,
    nargs: 1,
    description: 'for RUN --mount=type=secret: id=NAME,src=FILE or id=NAME,env=VARIABLE; may be repeated',
    group: 'Images:',
  },
  docker: flag('--executor=docker', { group: 'Images:' }),
  podman: flag('--executor=podman', { group: 'Images:' }),
  singularity: flag('--executor=apptainer', { group: 'Images:' }),
  'strict-memory-limit': flag('hold tools to their ramMax (always on in containers)', { group: 'Images:' }),

  validate: flag('check the document and stop', { group: 'Document:' }),
  'print-dot': flag('print the workflow as DOT and stop', { group: 'Document:' }),
  'print-pre': flag('print the document after loading and stop', { group: 'Document:' }),
  pack: flag('print the document with all it refers to in one and stop', { group: 'Document:' }),
  'print-deps': flag('print the files that the document reads and stop', { group: 'Document:' }),
  'print-targets': flag('print what --target takes and stop', { group: 'Document:' }),
  'print-subgraph': flag('print the part that --target names, packed, and stop', { group: 'Document:' }),
  'make-template': flag('print an inputs file to fill in and stop', { group: 'Document:' }),
  'tool-help': flag("print the document's own inputs and stop", { group: 'Document:' }),
  'print-supported-versions': flag('print the versions of CWL that are supported and stop', { group: 'Document:' }),
  overrides: text('requirements to override, from this file', { group: 'Document:' }),
  strict: flag('unknown fields are errors', { default: true, group: 'Document:' }),
  'skip-schemas': flag('do not read $schemas', { group: 'Document:' }),
  'enable-ext': flag('accept extensions (always on)', { group: 'Document:' }),
  'enable-dev': flag('accept drafts of coming versions', { group: 'Document:' }),
  'relax-path-checks': flag('accept file names of any letters (always on)', { group: 'Document:' }),
} as const satisfies Record<string, Options>;

/** What `runOptions` come to. Names as yargs gives them, in camel case. */
export interface RunFlags {
  readonly outdir: string;
  readonly basedir?: string;
  readonly computeChecksum: boolean;
  readonly writeSummary?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly debug?: boolean;
  readonly timestamps?: boolean;
  readonly json?: boolean;
  readonly usage?: boolean;
  readonly onError: 'stop' | 'continue';
  readonly parallelMax?: number;
  readonly enableReuse: boolean;
  readonly disableReuse?: boolean;
  readonly cachedir?: string;
  readonly evalTimeout: number;
  readonly target?: readonly string[];
  readonly preserveEnvironment?: readonly string[];
  readonly preserveEntireEnvironment?: boolean;
  readonly tmpdirPrefix?: string;
  readonly tmpOutdirPrefix?: string;
  readonly plan?: boolean;
  readonly pull: 'missing' | 'newer' | 'always' | 'never';
  readonly forceDockerPull?: boolean;
  readonly disablePull?: boolean;
  readonly container: boolean;
  readonly defaultContainer?: string;
  readonly executor?: 'sandbox' | 'docker' | 'podman' | 'apptainer';
  readonly builder?: BuilderName;
  readonly secret?: readonly string[];
  readonly docker?: boolean;
  readonly podman?: boolean;
  readonly singularity?: boolean;
  readonly validate?: boolean;
  readonly printDot?: boolean;
  readonly printPre?: boolean;
  readonly printDeps?: boolean;
  readonly printTargets?: boolean;
  readonly printSubgraph?: boolean;
  readonly pack?: boolean;
  readonly makeTemplate?: boolean;
  readonly toolHelp?: boolean;
  readonly printSupportedVersions?: boolean;
  readonly overrides?: string;
  readonly strict: boolean;
  readonly skipSchemas?: boolean;
  readonly enableDev?: boolean;
  readonly relaxPathChecks?: boolean;
}
