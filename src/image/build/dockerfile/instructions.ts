/** One instruction, parsed but with its variables still in it. Dockerfile reference, frontend 1.x. */
export type Instruction = Place &
  (
    | { readonly kind: 'from'; readonly base: string; readonly name?: string; readonly platform?: string }
    | { readonly kind: 'arg'; readonly pairs: readonly ArgPair[] }
    | { readonly kind: 'env'; readonly pairs: readonly Pair[] }
    | { readonly kind: 'label'; readonly pairs: readonly Pair[] }
    | RunInstruction
    | CopyInstruction
    | { readonly kind: 'cmd'; readonly command: CommandLine }
    | { readonly kind: 'entrypoint'; readonly command: CommandLine }
    | { readonly kind: 'shell'; readonly command: readonly string[] }
    | { readonly kind: 'workdir'; readonly path: string }
    | { readonly kind: 'user'; readonly user: string }
    | { readonly kind: 'stopsignal'; readonly signal: string }
    | { readonly kind: 'maintainer'; readonly name: string }
    | { readonly kind: 'expose'; readonly ports: readonly string[] }
    | { readonly kind: 'volume'; readonly paths: readonly string[] }
    | { readonly kind: 'healthcheck'; readonly check: HealthCheck }
    | { readonly kind: 'onbuild'; readonly trigger: string }
  );

export type InstructionKind = Instruction['kind'];
export type InstructionOf<Kind extends InstructionKind> = Extract<Instruction, { kind: Kind }>;

/** Where the instruction stands, and how it reads for people: continuations joined. */
export interface Place {
  readonly line: number;
  readonly endLine: number;
  readonly text: string;
}

export interface Pair {
  readonly name: string;
  readonly value: string;
}

export interface ArgPair {
  readonly name: string;
  readonly value?: string;
}

export interface CommandLine {
  /** Shell form: one string for the SHELL. */
  readonly form: 'shell' | 'exec';
  readonly words: readonly string[];
}

export interface RunInstruction extends Place {
  readonly kind: 'run';
  readonly command: CommandLine;
  /** A single heredoc that starts with `#!`: a file to be executed. */
  readonly script?: { readonly name: string; readonly content: string };
  /** `--mount` values as written: they may hold variables. */
  readonly mounts: readonly string[];
  readonly network: 'default' | 'none' | 'host';
}

export interface CopyInstruction extends Place {
  readonly kind: 'copy' | 'add';
  readonly sources: readonly string[];
  /** Heredocs among the sources. */
  readonly inline: readonly InlineFile[];
  readonly destination: string;
  /** A stage by name or number, or an image. */
  readonly from?: string;
  readonly chown?: string;
  readonly chmod?: string;
  /** ADD only, of what is fetched: `sha256:…`, or the commit of a repository. */
  readonly checksum?: string;
  /** ADD only: a repository comes with its `.git`. */
  readonly keepGitDir: boolean;
  readonly excludes: readonly string[];
  readonly link: boolean;
  readonly parents: boolean;
  /** ADD only, as written: without it archives of the context are unpacked and those that are fetched are not. */
  readonly unpack?: boolean;
}

export interface InlineFile {
  readonly name: string;
  readonly content: string;
  readonly expand: boolean;
}

/** Docker image specification 1.3, "Healthcheck": times in nanoseconds. */
export interface HealthCheck {
  readonly Test: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}
