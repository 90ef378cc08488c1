import type { ClusterApi } from '../api/port.ts';
import type { PortableDataHash, Uuid } from '../core/ids.ts';
import type { BlockStore } from '../keep/port.ts';
import type { ProvenanceNode, Relation } from './model.ts';

/** What the graph is read from. Nothing is written. */
export interface ProvenanceServices {
  readonly api: ClusterApi;
  /** Where given, Dockerfiles that lie in a build context are read. */
  readonly blocks?: BlockStore;
}

/** A node that is still to be read. */
export type Target =
  | CollectionTarget
  | RequestTarget
  | ContainerTarget
  | { readonly kind: 'host'; readonly id: 'host' };

export interface CollectionTarget extends Reached {
  readonly kind: 'collection';
  readonly id: PortableDataHash;
}

export interface ContainerTarget extends Reached {
  readonly kind: 'container';
  readonly id: Uuid;
}

/** `run`: the request of a run; `isSubject`: it is what was asked about. */
export type RequestTarget =
  | ({ readonly kind: 'request'; readonly id: Uuid } & Reached)
  | { readonly kind: 'run'; readonly id: Uuid; readonly isSubject?: boolean };

/** The run that a node was reached from: its own requests are preferred to equal ones of others. */
interface Reached {
  readonly run?: Uuid;
}

/** An edge that is still to be followed. */
export interface Lead {
  readonly relation: Relation;
  readonly label?: string;
  readonly to: Target;
}

/** A node as its records tell it, and the leads to what made it. */
export interface Expansion {
  readonly node: ProvenanceNode;
  readonly leads: readonly Lead[];
}
