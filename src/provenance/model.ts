import type { BlockLocator, PortableDataHash, Uuid } from '../core/ids.ts';

/**
 * Where something comes from, as a graph: from a result, edges lead to what made it. `schemas/provenance.schema.json`
 * describes the JSON form. Everything in it is read from records of the cluster.
 */
export interface ProvenanceGraph {
  readonly schemaVersion: 1;
  /** Id of the node that was asked about. */
  readonly subject: string;
  /** The subject first, then by distance from it. */
  readonly nodes: readonly ProvenanceNode[];
  readonly edges: readonly ProvenanceEdge[];
}

export interface ProvenanceEdge {
  readonly from: string;
  readonly to: string;
  readonly relation: Relation;
  /** `in`: the path in the collection; `input`: the path in the container; `base`: the reference as written; `added`: the URL. */
  readonly label?: string;
}

export type Relation =
  /** A file's content lies in this collection. */
  | 'in'
  /** A collection or image was made by this request. */
  | 'madeBy'
  /** A request was run as this container. */
  | 'ranAs'
  /** A container ran in this image. */
  | 'image'
  /** A container read this collection. */
  | 'input'
  /** A build took this image for a FROM. */
  | 'base'
  /** A build copied files of this collection. */
  | 'context'
  /** A build fetched this file for an ADD. */
  | 'added'
  /** A request belongs to this run. */
  | 'partOf'
  /** A run submitted this request. */
  | 'step'
  /** A request was made because this one ran out of memory. */
  | 'retryOf';

export type ProvenanceNode =
  | FileNode
  | CollectionNode
  | ImageNode
  | RequestNode
  | BuildNode
  | PullNode
  | RunNode
  | ContainerNode
  | HostNode;

/** A file of this machine, known by its content. `id`: `file:` and its path. */
export interface FileNode {
  readonly kind: 'file';
  readonly id: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly locators: readonly BlockLocator[];
}

/** `id`: the portable data hash. */
export interface CollectionNode {
  readonly kind: 'collection';
  readonly id: PortableDataHash;
  readonly uuid?: Uuid;
  readonly name?: string;
  readonly createdAt?: string;
}

/** An image collection. `id`: the portable data hash. */
export interface ImageNode {
  readonly kind: 'image';
  readonly id: PortableDataHash;
  readonly uuid?: Uuid;
  /** `repository:tag`, each name it has had in Keep. */
  readonly names: readonly string[];
  readonly imageHash?: string;
  readonly registryDigest?: string;
  /** When the image was made, as the image says. */
  readonly imageTimestamp?: string;
}

/** What every container request says. `id`: its uuid. */
interface RequestFacts {
  readonly id: Uuid;
  readonly name: string;
  readonly createdAt: string;
  readonly git?: GitState;
}

/** A step's request. */
export interface RequestNode extends RequestFacts {
  readonly kind: 'request';
  readonly command: readonly string[];
  /** Other requests that the same container satisfied. */
  readonly reusedBy: readonly Uuid[];
}

/** One invocation of a workflow. */
export interface RunNode extends RequestFacts {
  readonly kind: 'run';
  /** URI of the CWL document. */
  readonly document?: string;
  readonly status?: string;
}

/** A `docker build` of the cluster; the container that ran it is part of the node. */
export interface BuildNode extends RequestFacts, BuildRecipe {
  readonly kind: 'build';
  readonly container?: ContainerFacts;
  readonly reusedBy: readonly Uuid[];
}

/** A `docker pull` of the cluster. */
export interface PullNode extends RequestFacts {
  readonly kind: 'pull';
  /** The name as it was written. */
  readonly reference: string;
  readonly platform?: string;
  /** What the registry resolved the name to. */
  readonly registryDigest?: string;
  readonly container?: ContainerFacts;
  readonly reusedBy: readonly Uuid[];
}

/** The instructions of a build, as far as records hold them. */
export interface BuildRecipe {
  readonly dockerfile: {
    /** Where it lies in the context; absent when it was given as text. */
    readonly path?: string;
    readonly text?: string;
    readonly sha256?: string;
  };
  readonly context?:
    | { readonly portableDataHash: PortableDataHash; readonly path?: string }
    | { readonly url: string; readonly commit: string; readonly path?: string };
  readonly buildArguments: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
  readonly bases: readonly { readonly reference: string; readonly portableDataHash: PortableDataHash }[];
  /** What ADD instructions fetched. */
  readonly added: readonly AddedSource[];
  /** The CWL document that asked for it. */
  readonly document?: string;
}

/** What an ADD fetched: a file, by content, or the commit of a repository. `url`: as the Dockerfile has it, variables put in. */
export type AddedSource =
  | {
      readonly url: string;
      readonly portableDataHash: PortableDataHash;
      readonly sha256?: string;
      /** As the server said, HTTP dates: when it answered, and how old the file is. */
      readonly date?: string;
      readonly lastModified?: string;
      readonly etag?: string;
    }
  | { readonly url: string; readonly repository: string; readonly commit: string; readonly path?: string };

/** The work tree that instructions were read from. */
export interface GitState {
  readonly commit: string;
  /** Files differed from the commit, or are in none; undefined where git did not say. */
  readonly dirty?: boolean;
  readonly origin?: string;
  readonly branch?: string;
  readonly describe?: string;
  /** `git status --porcelain`. */
  readonly status?: string;
}

/** How a container ended. Times are RFC 3339 UTC; `exitCode` null: it did not end by itself. */
export interface ContainerFacts {
  readonly uuid: Uuid;
  readonly state: string;
  readonly exitCode: number | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface ContainerNode extends Omit<ContainerFacts, 'uuid'> {
  readonly kind: 'container';
  readonly id: Uuid;
}

/** A step that had no container: it ran on the host itself, whose software no record holds. */
export interface HostNode {
  readonly kind: 'host';
  readonly id: 'host';
}
