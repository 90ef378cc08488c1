import { type BuildContext, TypeScope } from './build/context.ts';
import { readProcess } from './build/process.ts';
import { DocumentStore, loadRunTargets, processesOf, selectProcess } from './document.ts';
import type { Process } from './model.ts';
import type { Override } from './overrides.ts';
import type { Fetcher } from './port.ts';
import type { Problem } from './problem.ts';
import { Problems } from './problems.ts';
import { field, itemsOf, type MapNode, type Node } from './syntax/node.ts';
import type { ParseLimits } from './syntax/parse.ts';

export interface LoadOptions {
  readonly fetcher: Fetcher;
  /** Of the job file and of `--overrides`, in order. */
  readonly overrides?: readonly Override[];
  /** `cwl:requirements` of the job file: they take the place of those of the process that is loaded. */
  readonly jobRequirements?: Node;
  /** Accepts development versions of CWL. */
  readonly enableDev?: boolean;
  /** False: unknown fields are warnings. Default: true. */
  readonly strict?: boolean;
  readonly limits?: ParseLimits;
  /** No process of the document is meant more than the others: none has to be the main one. */
  readonly whole?: boolean;
}

export interface LoadedProcess {
  readonly process: Process;
  readonly warnings: readonly Problem[];
  /** URI of every document and text that was read. */
  readonly sources: readonly string[];
  /** URI of every `$schemas` entry, for `lazyOntology`. */
  readonly schemas: readonly string[];
  /** `$namespaces` of the document. */
  readonly namespaces: Readonly<Record<string, string>>;
}

/**
 * The process at the absolute `uri` (with or without a fragment) in the form of CWL v1.2. Fails with `cwl/invalid-document` or
 * `cwl/unsupported-requirement` and everything that is wrong with it (see `InvalidDocumentError`).
 */
export async function loadProcess(uri: string, options: LoadOptions): Promise<Process> {
  return (await loadDocument(uri, options)).process;
}

/** As `loadProcess`, with what else came up. */
export async function loadDocument(uri: string, options: LoadOptions): Promise<LoadedProcess> {
  const problems = new Problems();
  const store = new DocumentStore(options.fetcher, options.limits);
  const document = await store.load(uri);
  const [first] = options.whole ? processesOf(document.root) : [];
  const node = first ?? selectProcess(document, uri);
  const others = graphOf(document.root).filter((other) => other !== node);
  for (const start of [node, ...others]) await loadRunTargets(store, start, problems);
  const context = newContext(store, node, problems, options);
  const process = readProcess(node, context);
  for (const other of others) readProcess(other, context);
  problems.throwIfAny();
  const { namespaces } = document.root.source;
  return { process, warnings: problems.warnings, sources: store.sources, schemas: [...store.schemas], namespaces };
}

function newContext(store: DocumentStore, node: MapNode, problems: Problems, options: LoadOptions): BuildContext {
  return {
    problems,
    load: {
      store,
      overrides: options.overrides ?? [],
      ...(options.jobRequirements && { ofJob: { process: node, requirements: options.jobRequirements } }),
      enableDev: options.enableDev ?? false,
      refused: new WeakSet(),
      processes: new Map(),
      spans: new WeakMap(),
      places: new WeakMap(),
    },
    version: '',
    namespaces: {},
    strict: options.strict ?? true,
    scripts: [],
    types: new TypeScope(),
    scope: '',
    parents: [],
    inherited: new Set(),
  };
}

/** Every member of a `$graph`: the whole document has to be right, whichever process of it runs. */
const graphOf = (root: Node): readonly MapNode[] =>
  itemsOf(field(root, '$graph')).filter((item): item is MapNode => item.kind === 'map');
