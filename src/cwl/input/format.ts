import type { Fetcher } from '../port.ts';
import { expandPrefix } from '../syntax/uri.ts';
import type { CwlObject, CwlValue } from '../values.ts';
import { isFile } from '../values.ts';

/** Which formats are kinds of which others, as far as local `$schemas` say. */
interface Ontology {
  isKindOf(format: string, other: string): boolean;
}

const emptyOntology: Ontology = { isKindOf: (format, other) => format === other };

/**
 * Reads `rdfs:subClassOf` and `owl:equivalentClass` out of RDF/XML or Turtle. No RDF library is needed for these two relations
 * between named classes; what this does not understand it does not use.
 */
function readOntology(texts: readonly string[]): Ontology {
  const parents = new Map<string, Set<string>>();
  const add = (from: string, to: string): void => {
    const known = parents.get(from);
    if (known) known.add(to);
    else parents.set(from, new Set([to]));
  };
  for (const text of texts) {
    if (/^\s*(<\?xml|<rdf:RDF|<!DOCTYPE)/.test(text)) readRdfXml(text, add);
    else readTurtle(text, add);
  }
  return { isKindOf: (format, other) => reaches(parents, format, other, new Set()) };
}

/** The ontology of `$schemas`. Only local files are read, what cannot be read is passed over: formats are hints of a kind. */
async function loadOntology(schemas: readonly string[], fetcher: Fetcher): Promise<Ontology> {
  const local = schemas.filter((uri) => uri.startsWith('file:'));
  const texts = await Promise.all(local.map((uri) => fetcher.fetchText(uri).catch(() => '')));
  return texts.length === 0 ? emptyOntology : readOntology(texts);
}

/** Says of two formats whether the first is a kind of the second. `schemas` are read when it is first asked. */
export function lazyOntology(
  schemas: readonly string[],
  fetcher: Fetcher,
): (format: string, other: string) => Promise<boolean> {
  let ontology: Promise<Ontology> | undefined;
  return async (format, other) => {
    ontology ??= loadOntology(schemas, fetcher);
    return (await ontology).isKindOf(format, other);
  };
}

/** The same value; formats of its Files that are written with a prefix of the document, which the job file may use too, in full. */
export function expandFormats(value: CwlValue, namespaces: Readonly<Record<string, string>>): CwlValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => expandFormats(item, namespaces));
  const expandsFormat = isFile(value);
  const fields = Object.entries(value as CwlObject).map(([name, field]) => [
    name,
    expandsFormat && name === 'format'
      ? expandPrefix(String(field), namespaces)
      : expandFormats(field ?? null, namespaces),
  ]);
  return Object.fromEntries(fields);
}

type AddRelation = (from: string, to: string) => void;

function readRdfXml(text: string, add: AddRelation): void {
  const base = /xml:base="([^"]*)"/.exec(text)?.[1] ?? '';
  const full = (uri: string): string => (uri.startsWith('#') ? base + uri : uri);
  for (const block of text.split(/<owl:Class\b/).slice(1)) {
    const about = /^[^>]*?rdf:about="([^"]+)"/.exec(block)?.[1];
    if (about === undefined) continue;
    const own = block.split('</owl:Class>')[0] ?? '';
    for (const [, relation, resource] of own.matchAll(
      /<(rdfs:subClassOf|owl:equivalentClass)\s+rdf:resource="([^"]+)"/g,
    )) {
      if (resource === undefined) continue;
      add(full(about), full(resource));
      if (relation === 'owl:equivalentClass') add(full(resource), full(about));
    }
  }
}

function readTurtle(text: string, add: AddRelation): void {
  const prefixes = new Map(
    [...text.matchAll(/@prefix\s+([\w-]*):\s*<([^>]*)>/g)].map(([, name = '', uri = '']) => [name, uri]),
  );
  const full = (name: string): string => {
    if (name.startsWith('<')) return name.slice(1, -1);
    const [prefix = '', local = ''] = name.split(':');
    return (prefixes.get(prefix) ?? `${prefix}:`) + local;
  };
  for (const statement of text.split(/\.\s*(?:\n|$)/)) {
    const subject = /^\s*(<[^>]*>|[\w-]*:[\w-]+)\s/.exec(statement)?.[1];
    if (subject === undefined) continue;
    for (const [, relation, object] of statement.matchAll(
      /(rdfs:subClassOf|owl:equivalentClass)\s+(<[^>]*>|[\w-]*:[\w-]+)/g,
    )) {
      if (object === undefined) continue;
      add(full(subject), full(object));
      if (relation === 'owl:equivalentClass') add(full(object), full(subject));
    }
  }
}

function reaches(
  parents: ReadonlyMap<string, ReadonlySet<string>>,
  from: string,
  to: string,
  seen: Set<string>,
): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  for (const parent of parents.get(from) ?? []) if (reaches(parents, parent, to, seen)) return true;
  return false;
}
