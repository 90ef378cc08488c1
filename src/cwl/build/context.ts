import type { CheckContext } from '../check.ts';
import type { DocumentStore } from '../document.ts';
import type { CwlType, Process } from '../model.ts';
import type { Override } from '../overrides.ts';
import type { MapNode, Node, Source, Span } from '../syntax/node.ts';

/** What reading one process needs beside its node. */
export interface BuildContext extends CheckContext {
  readonly load: LoadContext;
  readonly types: TypeScope;
  /** Identifier of the process in its document, without `#`; empty for the document itself. */
  readonly scope: string;
  /** Nodes of the processes that this one is part of, to find those that contain themselves. */
  readonly parents: readonly MapNode[];
  /** Classes of the requirements and hints in force around the process. */
  readonly inherited: ReadonlySet<string>;
}

/** What all processes of one load share. */
export interface LoadContext {
  readonly store: DocumentStore;
  readonly overrides: readonly Override[];
  /** Requirements of the job file, and the process that they are for. */
  readonly ofJob?: { readonly process: MapNode; readonly requirements: Node };
  readonly enableDev: boolean;
  /** Documents of a version that is not supported. */
  readonly refused: WeakSet<Source>;
  /** Processes already read; one that several steps run is read once. */
  readonly processes: Map<MapNode, Process>;
  /** Where the parts of the model stand in their sources. */
  readonly spans: WeakMap<object, Span>;
  /** Where each name of a list of names stands (`readNames`). */
  readonly places: WeakMap<readonly string[], readonly Span[]>;
}

/** Named types in sight: those of SchemaDefRequirement here and around, by full and by short name. Read when first asked for. */
export class TypeScope {
  readonly #types = new Map<string, () => CwlType>();
  readonly #outer: TypeScope | undefined;

  constructor(outer?: TypeScope) {
    this.#outer = outer;
  }

  define(name: string, read: () => CwlType): void {
    if (!this.#types.has(name)) this.#types.set(name, read);
  }

  find(name: string): CwlType | undefined {
    const read = this.#types.get(name);
    return read ? read() : this.#outer?.find(name);
  }

  names(): readonly string[] {
    return [...this.#types.keys(), ...(this.#outer?.names() ?? [])];
  }
}
