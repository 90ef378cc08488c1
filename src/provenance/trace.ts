import { mapLimited } from '../core/concurrency.ts';
import { expandCollection } from './expand-collection.ts';
import { expandContainer } from './expand-container.ts';
import { expandRequest } from './expand-request.ts';
import type { Expansion, Lead, ProvenanceServices, Target } from './expansion.ts';
import type { ProvenanceEdge, ProvenanceGraph } from './model.ts';
import { resolveSubject, type Subject } from './subject.ts';

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
    for (const { node, leads } of wave) {
      for (const { relation, label, to } of leads) {
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
      const leads = subject.places.map(({ portableDataHash, path }): Lead => {
        return { relation: 'in', label: path, to: { kind: 'collection', id: portableDataHash } };
      });
      return { node: subject.node, leads };
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
      return { node: { kind: 'host', id: 'host' }, leads: [] };
  }
}
