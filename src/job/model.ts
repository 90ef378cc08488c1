import type { BlockLocator } from '../core/ids.ts';
import type { CommandLineTool, ExpressionTool, Requirement } from '../cwl/model.ts';
import type { CwlObject } from '../cwl/values.ts';
import type { Collection } from '../keep/collection.ts';

/** One process of a workflow whose inputs are all there. */
export interface StepJob {
  /** Unique within the workflow's run. */
  readonly id: number;
  /** Path of step names, `align[3]/sort`; the process's own name when it runs alone. */
  readonly name: string;
  readonly process: CommandLineTool | ExpressionTool;
  readonly inputs: CwlObject;
  /** Inherited by the process, its own entries among them. */
  readonly requirements: Requirements;
}

/**
 * What one CommandLineTool with its inputs comes to: everything that a container request needs, before its image is known.
 * Paths are those that the process sees.
 */
export interface ToolJob {
  /** As `StepJob.name`. */
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
  readonly runtime: RuntimeContext;
  readonly networkAccess: boolean;
  /** Seconds; 0: no limit. */
  readonly timeLimitSeconds: number;
  readonly enableReuse: boolean;
  /** Patterns, relative to the output directory, that cover every output; empty: all of it is wanted. */
  readonly outputGlob: readonly string[];
  /** Effective, one for each class, evaluated; requirements beside hints. */
  readonly requirements: readonly EffectiveRequirement[];
  /** As expressions of the tool see them, with `path`. */
  readonly inputs: CwlObject;
  /** Ids of inputs whose values may appear in no record (`cwltool:Secrets`). */
  readonly secretInputs: readonly string[];
  /** Inputs that the tool may change in place (InplaceUpdateRequirement): `location` → name in the output directory. */
  readonly inplace: ReadonlyMap<string, string>;
}

/** A ToolJob and what the caller saves before the job is submitted. Saving is idempotent: all of it is named by content. */
export interface PreparedJob {
  readonly job: ToolJob;
  readonly collections: readonly Collection[];
  readonly blocks: readonly StagedBlock[];
}

/** Text of a file literal as one Keep block. */
export interface StagedBlock {
  readonly locator: BlockLocator;
  readonly data: Uint8Array;
}

/** Requirements and hints in effect for one process: at most one entry of each class in the two together. */
export interface Requirements {
  readonly requirements: readonly Requirement[];
  readonly hints: readonly Requirement[];
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

/** CWL v1.2, "Runtime environment", the `runtime` of expressions: MiB, whole cores. */
export interface RuntimeContext {
  readonly outdir: string;
  readonly tmpdir: string;
  readonly cores: number;
  readonly ram: number;
  readonly outdirSize: number;
  readonly tmpdirSize: number;
  readonly exitCode?: number;
}

export type JobMount =
  /** `keep:PDH[/path]` appears at `target`; a file or a directory. */
  | {
      readonly kind: 'keep';
      readonly location: string;
      readonly target: string;
      readonly writable: boolean;
      /** Of the collection, where the input names it (`arv:collectionUUID`). */
      readonly collectionUuid?: string;
    }
  /** A file whose text is in no collection: a secret, or one that names paths of the host. */
  | { readonly kind: 'text'; readonly content: string; readonly target: string; readonly secret: boolean };

export interface JobResources {
  /** May be a fraction of a core. */
  readonly cores: number;
  readonly ramBytes: number;
  readonly outdirBytes: number;
  readonly tmpdirBytes: number;
  /** Where the tool says so: it is not to use more. */
  readonly outdirMaxBytes?: number;
  readonly tmpdirMaxBytes?: number;
}

/** What came back of a container, as far as outputs are collected from it. */
export interface FinishedJob {
  readonly exitCode: number;
  /** The content of the output directory. */
  readonly output: Collection;
  /** Of a job on the host: the directory that stood for `hostRoot`, since the tool may have written paths below it. */
  readonly hostDirectory?: string;
}

export type JobStatus = 'success' | 'temporaryFail' | 'permanentFail';

/** How a StepJob ended. Outputs of a failed one are those that it could make. */
export interface JobResult {
  readonly status: JobStatus;
  readonly outputs: CwlObject;
  /** Files changed in place: `location` before → after (InplaceUpdateRequirement). */
  readonly replaced?: ReadonlyMap<string, string>;
}
