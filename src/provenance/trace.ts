import type { ClusterApi } from '../api/port.ts';
import { mapLimited } from '../core/concurrency.ts';
import type { PortableDataHash, Uuid } from '../core/ids.ts';
import type { BlockStore } from '../keep/port.ts';
import { expandCollection } from './expand-collection.ts';
import { expandContainer, expandRequest } from './expand-request.ts';
import type { ProvenanceEdge, ProvenanceGraph, ProvenanceNode, Relation } from './model.ts';
import { resolveSubject, type Subject } from './subject.ts';

export interface ProvenanceServices {
  readonly api: ClusterApi;
  /** Where given, Dockerfiles that lie in a build context are read. */
  readonly blocks?: BlockStore;
}

/** A node that is still to be read. `run`: the run it was reached from, whose own requests are preferred to equal ones. */
export type Target =
  | { readonly kind: 'collection'; readonly id: PortableDataHash; readonly run?: Uuid }
  | { readonly kind: 'request' | 'container'; readonly id: Uuid; readonly run?: Uuid }
  | { readonly kind: 'run'; readonly id: Uuid; readonly isSubject?: boolean }
  | { readonly kind: 'host'; readonly id: 'host' };

export interface Step {
  readonly relation: Relation;
  readonly label?: string;
  readonly to: Target;
}

/** A node as its records tell it, and the steps to what made it. */
export interface Expansion {
  readonly node: ProvenanceNode;
  readonly steps: readonly Step[];
}

const parallelQueries = 8;

/**
 * Where `subject` comes from: see `resolveSubject` for what may be asked. Only reads; each record is read once, however
 * often it is met, so a graph that shares its images and inputs stays small.
 */
export async function trace(services: ProvenanceServices, subject: string): Promise<ProvenanceGraph> {
  const start = await expandSubject(services, await resolveSubject(services.api, subject));
  const nodes = [start.node];
  const edges: ProvenanceEdge[] = [];
  const seen = new Set<string>([start.node.id]);
  for (let wave = [start]; wave.length > 0; ) {
    const next: Target[] = [];
    for (const { node, steps } of wave) {
      for (const { relation, label, to } of steps) {
        edges.push({ from: node.id, to: to.id, relation, ...(label === undefined ? {} : { label }) });
        if (!seen.has(to.id)) next.push(to);
        seen.add(to.id);
      }
    }
    wave = await mapLimited(next, parallelQueries, (target) => expand(services, target));
    nodes.push(...wave.map(({ node }) => node));
  }
  return { schemaVersion: 1, subject: start.node.id, nodes, edges };
}

async function expandSubject(services: ProvenanceServices, subject: Subject): Promise<Expansion> {
  switch (subject.kind) {
    case 'request':
      return expandRequest(services, { kind: 'run', id: subject.uuid, isSubject: true });
    case 'container':
      return expandContainer(services, { kind: 'container', id: subject.uuid });
    case 'collection':
      return expandCollection(services, { kind: 'collection', id: subject.portableDataHash });
    case 'file': {
      const steps = subject.places.map(({ portableDataHash, path }): Step => {
        return { relation: 'in', label: path, to: { kind: 'collection', id: portableDataHash } };
      });
      return { node: subject.node, steps };
    }
  }
}

async function expand(services: ProvenanceServices, target: Target): Promise<Expansion> {
  switch (target.kind) {
    case 'collection':
      return expandCollection(services, target);
    case 'container':
      return expandContainer(services, target);
    case 'request':
    case 'run':
      return expandRequest(services, target);
    case 'host':
      return { node: { kind: 'host', id: 'host' }, steps: [] };
  }
}
