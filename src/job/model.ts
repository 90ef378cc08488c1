import type { Requirement } from '../cwl/model.ts';
import type { CwlObject } from '../cwl/values.ts';

/**
 * What one CommandLineTool with its inputs comes to: everything that a container request needs, before its image is known.
 * Paths are those that the process sees.
 */
export interface ToolJob {
  /** Path of step names, `align[3]/sort`; the tool's own name when it runs alone. */
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly paths: JobPaths;
  readonly mounts: readonly JobMount[];
  /** `keep:PDH/path`. */
  readonly stdin?: string;
  /** Relative to the output directory. */
  readonly stdout?: string;
  readonly stderr?: string;
  readonly resources: JobResources;
  readonly networkAccess: boolean;
  /** Seconds; 0: no limit. */
  readonly timeLimitSeconds: number;
  readonly enableReuse: boolean;
  /** Effective, one for each class, evaluated; requirements beside hints. */
  readonly requirements: readonly EffectiveRequirement[];
  readonly inputs: CwlObject;
}

export interface EffectiveRequirement extends Requirement {
  readonly isHint: boolean;
}

/** Roots that the process sees: `/var/spool/cwl`, `/tmp`, `/keep` in a container. */
export interface JobPaths {
  readonly outdir: string;
  readonly tmpdir: string;
  readonly keep: string;
}

export type JobMount =
  /** `keep:PDH[/path]` appears at `target`; a file or a directory. */
  | { readonly kind: 'keep'; readonly location: string; readonly target: string; readonly writable: boolean }
  | {
      readonly kind: 'text';
      readonly content: string;
      readonly target: string;
      readonly secret: boolean;
      readonly writable: boolean;
    }
  | { readonly kind: 'emptyDirectory'; readonly target: string; readonly writable: boolean };

export interface JobResources {
  readonly cores: number;
  readonly ramBytes: number;
  readonly outdirBytes: number;
  readonly tmpdirBytes: number;
}

/** What came back of a container, as far as outputs are collected from it. */
export interface FinishedJob {
  readonly exitCode: number;
  /** Manifest of the output directory. */
  readonly outputManifest: string;
}
