import { flag, text } from './flag.ts';

const group = 'Document:';

/** How the document is read, and what only describes it. */
export const documentFlags = {
  validate: flag('check the document and stop', { group }),
  'print-dot': flag('print the workflow as DOT and stop', { group }),
  'print-pre': flag('print the document as it is after loading, as CWL, and stop', { group }),
  pack: flag('print the document with all it refers to in one and stop', { group }),
  'print-deps': flag('print the files that the document reads and stop', { group }),
  'print-input-deps': flag('print the files that the inputs name and stop', { group }),
  'relative-deps': {
    type: 'string',
    choices: ['primary', 'cwd'],
    default: 'primary',
    description: 'what the paths of --print-deps and --print-input-deps start from',
    group,
  },
  'print-targets': flag('print what --target takes and stop', { group }),
  'print-subgraph': flag('print the part that --target or --single-step name, packed, and stop', { group }),
  'make-template': flag('print an inputs file to fill in and stop', { group }),
  'tool-help': flag("print the document's own inputs and stop", { group }),
  'print-supported-versions': flag('print the versions of CWL that are supported and stop', { group }),
  overrides: text('requirements to override, from this file', { group }),
  strict: flag('unknown fields are errors', { default: true, group }),
  'non-strict': flag('--no-strict', { means: { strict: false }, group }),
  'skip-schemas': flag('do not read $schemas', { group }),
  'enable-ext': flag('accept extensions (always on)', { group }),
  'enable-dev': flag('accept drafts of coming versions', { group }),
  'relax-path-checks': flag('accept file names of any letters (always on)', { group }),
} as const;
