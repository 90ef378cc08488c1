export interface LaunchOptions {
  readonly command: readonly string[];
  /** All that it gets; without, it gets the launcher's: a PATH to this machine's own programs and `signals`, see below. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Paths; they are opened in the launcher. */
  readonly stdin: string;
  /** A pipe with the file's content in place of the file itself. */
  readonly pipesStdin?: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Paths for its descriptors 3, to write, and 4, to read. */
  readonly control?: { readonly up: string; readonly down: string };
  /**
   * A subroutine that the launcher has (`withRoutines`), in place of a program. The words of `command` are folders that it makes:
   * the launcher removes them when it ends first.
   */
  readonly routine?: string;
  /** It waits for its work, and keeps this process alive only from `Launched.busy` on. */
  readonly waits?: boolean;
}

/**
 * What the launcher's process runs: it reads requests from its standard input, and reports on its standard output, with the
 * number of a request: `f` could not be set up, `s` started with that id, `e` ended with that code. Before all of them, where it keeps
 * commands from writing to the folders that it was given, `p`. Ends all with its input.
 */
export interface LauncherProgram {
  readonly command: readonly [string, ...string[]];
  /** Comes before the requests. */
  readonly prelude: string;
  toRequest(number: number, options: LaunchOptions): string | Uint8Array;
}
