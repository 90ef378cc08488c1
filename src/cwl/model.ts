import type { JsonValue } from '../core/json.ts';

/**
 * A CWL v1.2 process as the rest of the runner sees it: resolved, upgraded, plain and readonly. Made only by `loadProcess`.
 * Names of fields are those of the standard (CWL v1.2.1). Identifiers of inputs, outputs and steps are their short names;
 * `id` of a process is absolute. Types hold no references: SchemaDef and named types are put in place. Fields that may hold an
 * expression are left as they stand in the document.
 */
export type Process = CommandLineTool | ExpressionTool | Workflow | Operation;

/** Where a value stands in its document; lines and columns from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface ProcessBase {
  readonly id: string;
  readonly label?: string;
  readonly doc?: string;
  readonly inputs: readonly InputParameter[];
  readonly outputs: readonly OutputParameter[];
  readonly requirements: readonly Requirement[];
  readonly hints: readonly Requirement[];
  /** The version that the document was written in; the semantics of an older one differ in places (`v1.0`, `v1.1`, `v1.2`). */
  readonly cwlVersion: string;
  readonly position: Position;
}

export interface CommandLineTool extends ProcessBase {
  readonly class: 'CommandLineTool';
  readonly baseCommand: readonly string[];
  readonly arguments: readonly (string | CommandLineBinding)[];
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly successCodes: readonly number[];
  readonly temporaryFailCodes: readonly number[];
  readonly permanentFailCodes: readonly number[];
}

export interface ExpressionTool extends ProcessBase {
  readonly class: 'ExpressionTool';
  readonly expression: string;
}

export interface Operation extends ProcessBase {
  readonly class: 'Operation';
}

export interface Workflow extends ProcessBase {
  readonly class: 'Workflow';
  readonly steps: readonly WorkflowStep[];
}

export interface WorkflowStep {
  readonly name: string;
  readonly label?: string;
  readonly doc?: string;
  readonly run: Process;
  readonly in: readonly WorkflowStepInput[];
  readonly out: readonly string[];
  readonly scatter: readonly string[];
  readonly scatterMethod?: 'dotproduct' | 'nested_crossproduct' | 'flat_crossproduct';
  readonly when?: string;
  /** cwltool:Loop and the v1.3 draft, in one form. */
  readonly loop?: StepLoop;
  readonly requirements: readonly Requirement[];
  readonly hints: readonly Requirement[];
  readonly position: Position;
}

export interface StepLoop {
  readonly when: string;
  readonly in: readonly WorkflowStepInput[];
  readonly outputMethod: 'last' | 'all';
}

/** A source is a workflow input `name` or a step output `step/name`. */
export interface WorkflowStepInput {
  readonly id: string;
  readonly source: readonly string[];
  /** Whether the sources are merged to a list: there are several, or one in a list and the document says linkMerge. */
  readonly sourceIsList: boolean;
  readonly linkMerge: 'merge_nested' | 'merge_flattened';
  readonly pickValue?: PickValue;
  readonly default?: JsonValue;
  readonly valueFrom?: string;
  readonly loadContents?: boolean;
  readonly loadListing?: LoadListing;
  readonly position: Position;
}

export type PickValue = 'first_non_null' | 'the_only_non_null' | 'all_non_null';
export type LoadListing = 'no_listing' | 'shallow_listing' | 'deep_listing';

export interface ParameterBase {
  readonly id: string;
  readonly label?: string;
  readonly doc?: string;
  readonly type: CwlType;
  readonly secondaryFiles: readonly SecondaryFile[];
  readonly format: readonly string[];
  readonly streamable: boolean;
  readonly position: Position;
}

export interface InputParameter extends ParameterBase {
  readonly default?: JsonValue;
  readonly hasDefault: boolean;
  readonly inputBinding?: CommandLineBinding;
  readonly loadContents: boolean;
  readonly loadListing?: LoadListing;
}

export interface OutputParameter extends ParameterBase {
  readonly outputBinding?: OutputBinding;
  /** Workflow outputs only. */
  readonly outputSource: readonly string[];
  readonly outputSourceIsList: boolean;
  readonly linkMerge: 'merge_nested' | 'merge_flattened';
  readonly pickValue?: PickValue;
}

export interface SecondaryFile {
  readonly pattern: string;
  /** Absent: as the standard says (inputs true, outputs false). */
  readonly required?: boolean | string;
}

export interface CommandLineBinding {
  readonly position?: number | string;
  readonly prefix?: string;
  readonly separate?: boolean;
  readonly itemSeparator?: string;
  readonly valueFrom?: string;
  readonly shellQuote?: boolean;
  readonly loadContents?: boolean;
}

export interface OutputBinding {
  readonly glob: readonly string[];
  readonly loadContents?: boolean;
  readonly loadListing?: LoadListing;
  readonly outputEval?: string;
}

export type PrimitiveType = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string';
/** `stdin`, `stdout` and `stderr` are already rewritten as the standard says: File with a binding, and the tool's own field. */
export type CwlType =
  | PrimitiveType
  | 'File'
  | 'Directory'
  | 'Any'
  | ArrayType
  | RecordType
  | EnumType
  | readonly CwlType[];

export interface ArrayType {
  readonly type: 'array';
  readonly items: CwlType;
  readonly name?: string;
  readonly label?: string;
  readonly inputBinding?: CommandLineBinding;
}

export interface RecordType {
  readonly type: 'record';
  readonly name?: string;
  readonly label?: string;
  readonly fields: readonly RecordField[];
  readonly inputBinding?: CommandLineBinding;
}

export interface RecordField {
  readonly name: string;
  readonly type: CwlType;
  readonly label?: string;
  readonly doc?: string;
  readonly inputBinding?: CommandLineBinding;
  readonly outputBinding?: OutputBinding;
  readonly secondaryFiles: readonly SecondaryFile[];
  readonly format: readonly string[];
  readonly loadContents: boolean;
  readonly loadListing?: LoadListing;
}

export interface EnumType {
  readonly type: 'enum';
  readonly name?: string;
  readonly label?: string;
  /** Short names. */
  readonly symbols: readonly string[];
  readonly inputBinding?: CommandLineBinding;
}

/**
 * A requirement or hint: its class, as the standard names it or, for an extension, the full URI
 * (`http://commonwl.org/cwltool#CUDARequirement`, `urn:hallmark:cwl#ImageBuild`), its fields, and where it stands.
 * `$include`d text is in place; a Directory or File in it has an absolute `location`.
 */
export interface Requirement {
  readonly class: string;
  readonly fields: { readonly [field: string]: JsonValue };
  readonly position: Position;
}
