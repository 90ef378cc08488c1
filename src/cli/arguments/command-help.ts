/** What a command says of itself: `--help` of it, its line in the help of all, and the hint of its usage errors. */
export interface CommandHelp {
  /** What follows the name. */
  readonly usage: string;
  /** Its line in the list of commands. */
  readonly does: string;
  /** More for its own help. */
  readonly about?: string;
  /** By name, with their dashes. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Whether it takes the flags of a run too. */
  readonly takesRunFlags?: boolean;
}

const json = { '--json': 'the same for programs' } as const;

export const commandHelp = {
  provenance: {
    usage: 'FILE|UUID|PDH|last [--json]',
    does: 'where a result comes from: commands, images, Dockerfiles, commits',
    about: 'A file is found by its content. "last" is the newest run.',
    flags: json,
  },
  packages: {
    usage: 'IMAGE|FILE|UUID|PDH [--json | --cyclonedx]',
    does: 'what is installed in an image, or in the one that made a result',
    flags: { ...json, '--cyclonedx': 'as a CycloneDX bill of materials' },
  },
  affected: {
    usage:
      '--package NAME[<VERSION] | --image NAME | --base NAME | --dockerfile FILE | --commit ID | --input FILE [--json]',
    does: 'which results an ingredient went into',
    flags: {
      '--package NAME[<VERSION]': 'as in openssl, "openssl>=3.0,<3.0.17", pypi/numpy=1.26.4',
      '--image NAME': 'name, digest, image hash or PDH',
      '--base NAME': 'what a FROM names, or its digest',
      '--dockerfile FILE': 'the file as it is now, or the sha256 of its text',
      '--commit ID': 'of the work tree or context that built an image',
      '--input FILE': 'a file by its content, a PDH, or the URL that it was downloaded from',
      ...json,
    },
  },
  rerun: {
    usage: '[RUN|last] [flags]',
    does: 'the same run with its instructions as they are now',
    about:
      'Rebuilds what changed, reuses the rest, and says for each step which and why.\nTakes the flags of a run; those that the earlier run was given still count.',
    takesRunFlags: true,
  },
  runs: { usage: '[--json]', does: 'the 100 newest runs', flags: json },
  logs: {
    usage: '[-f] UUID [stdout.txt|stderr.txt|crunch-run.txt]',
    does: 'the log of a step, by the uuid of its container or request',
    flags: { '-f, --follow': 'go on until the container has ended' },
  },
  validate: {
    usage: 'FILE|DIR… [--json|--sarif]',
    does: 'checks documents: all errors at once, with line and column',
    flags: {
      ...json,
      '--sarif': 'as SARIF, for code review tools',
      '--enable-dev': 'accept drafts of coming versions',
      '--non-strict': 'unknown fields are no errors',
      '--allow-read DIR': 'documents may read files below this folder; may be repeated',
      '--allow-private-network': 'documents may read from private addresses',
    },
  },
  graph: {
    usage: 'DOCUMENT [--svg|--dot] [-o FILE]',
    does: 'draws the workflow',
    about: "SVG, unless the flag or the file's name say DOT.",
    flags: { '--svg': '', '--dot': '', '-o, --output FILE': 'instead of standard output' },
  },
  image: {
    usage: 'load [--name REPO:TAG] ARCHIVE',
    does: 'puts an image into Keep from an archive',
    about: 'ARCHIVE is a tar of docker save, podman save or skopeo copy, or the folder of an\nOCI layout.',
    flags: { '--name REPO:TAG': 'instead of the names in the archive' },
  },
  gc: {
    usage: '[--unused-for 30d] [--blocks] [--dry-run] [--json]',
    does: 'gives back the room of what is unused and can be made again',
    about: `Removes from the home: unpacked images, laid out collections, cache mounts and
layers of builds, SIFs, package lists, and what killed runs left.
Results, their images and the records stay.`,
    flags: {
      '--unused-for AGE': 'only what nobody has used for so long: 12h, 30d (default), 0s',
      '--blocks': 'also blocks in Keep that no collection names any more',
      '--dry-run': 'only say what would go',
      ...json,
    },
  },
  'crunch-run': {
    usage: 'CONTAINER_UUID [flags]',
    does: 'runs one queued container',
    about:
      'Several processes may serve one home or cluster. Takes the flags of a run that\nsay what containers are run with.',
    takesRunFlags: true,
  },
  serve: {
    usage: '[--port NUMBER] [--certificate FILE --key FILE] [flags]',
    does: 'the embedded cluster as an Arvados API server and keepstore',
    about:
      "For other processes of this machine; prints what they need. Arvados' own clients\nspeak https only: they need a certificate, and ARVADOS_API_HOST_INSECURE=1 where it is\nyour own. Takes the flags of a run that say what containers are run with.",
    flags: {
      '--port NUMBER': 'default: any that is free',
      '--certificate FILE': 'PEM; with it https is spoken',
      '--key FILE': 'PEM, of the certificate',
    },
    takesRunFlags: true,
  },
  completion: {
    usage: 'bash|zsh|fish',
    does: "prints the shell's completion script",
    about: 'source <(cwl-runner completion bash)',
  },
} as const satisfies Readonly<Record<string, CommandHelp>>;

export type CommandName = keyof typeof commandHelp;

export const isCommandName = (word: string): word is CommandName => Object.hasOwn(commandHelp, word);

export const usageOf = (name: CommandName): string => `cwl-runner ${name} ${commandHelp[name].usage}`;

/** The commands, a line each. */
export const listCommands = (): string =>
  toColumns(Object.entries(commandHelp).map(([name, { does }]) => [name, does]));

export function formatCommandHelp(name: CommandName): string {
  const { usage, does, about, flags = {}, takesRunFlags }: CommandHelp = commandHelp[name];
  const sentence = `${does.charAt(0).toUpperCase()}${does.slice(1)}.`;
  const flagList = toColumns(Object.entries(flags));
  const more = takesRunFlags ? 'cwl-runner --help lists the flags of a run.' : '';
  return `${[`cwl-runner ${name} ${usage}`, sentence, about, flagList, more].filter(Boolean).join('\n\n')}\n`;
}

function toColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`.trimEnd()).join('\n');
}
