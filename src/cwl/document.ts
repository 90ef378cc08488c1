import { isHallmarkError, toMessage } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { cwlError } from './errors.ts';
import type { Fetcher } from './port.ts';
import type { Problems } from './problems.ts';
import { replaceDirectives } from './syntax/directives.ts';
import {
  createSource,
  describe,
  displayName,
  field,
  isNull,
  itemsOf,
  type MapNode,
  type Node,
  positionOf,
  type Source,
  stringOf,
} from './syntax/node.ts';
import { defaultParseLimits, type ParseLimits, parseSource } from './syntax/parse.ts';
import { fragmentOf, resolveUri, shortName, withoutFragment } from './syntax/uri.ts';

/** A file of CWL, parsed, with its `$import`, `$include` and `$mixin` in place. */
export interface Document {
  readonly uri: string;
  readonly root: Node;
}

/** Reads each document once. Everything that was read is in `sources`. */
export class DocumentStore {
  readonly #fetcher: Fetcher;
  readonly #limits: ParseLimits;
  readonly #documents = new Map<string, Promise<Document>>();
  readonly #ready = new Map<string, Document>();
  readonly #texts = new Map<string, Promise<Source>>();
  readonly #waits = new Map<string, Set<string>>();
  /** URI of every text that was read, in the order of asking. */
  readonly sources: string[] = [];
  /** URIs of the `$schemas` of the documents; never read here. */
  readonly schemas = new Set<string>();

  constructor(fetcher: Fetcher, limits: ParseLimits = defaultParseLimits) {
    this.#fetcher = fetcher;
    this.#limits = limits;
  }

  /** A document that `load` has answered before. */
  get(uri: string): Document | undefined {
    return this.#ready.get(withoutFragment(uri));
  }

  async load(reference: string, from?: Source): Promise<Document> {
    const uri = withoutFragment(reference);
    if (from) checkReferrer(from.uri, uri);
    const known = this.#documents.get(uri);
    if (known) return known;
    const document = this.#read(uri, from);
    this.#documents.set(uri, document);
    return document;
  }

  /** Text of `uri`, of which each reader gets the same source. */
  text(uri: string): Promise<Source> {
    const known = this.#texts.get(uri);
    if (known) return known;
    this.sources.push(uri);
    const text = this.#fetcher.fetchText(uri).then((content) => createSource(uri, content.replace(/^\uFEFF/, '')));
    this.#texts.set(uri, text);
    return text;
  }

  async #read(uri: string, from: Source | undefined): Promise<Document> {
    const source = await this.text(uri);
    const root = parseSource(source, this.#limits);
    source.namespaces = { ...from?.namespaces, ...namespacesOf(root) };
    source.version = stringOf(field(root, 'cwlVersion'));
    for (const schema of itemsOf(field(root, '$schemas'))) {
      const reference = stringOf(schema);
      if (reference !== undefined) this.schemas.add(resolveUri(uri, reference));
    }
    const document = {
      uri,
      root: await replaceDirectives(root, {
        include: async (target, at) => {
          checkReferrer(at.uri, target);
          return this.text(withoutFragment(target));
        },
        import: (target, at) => this.#import(uri, target, at),
      }),
    };
    this.#ready.set(uri, document);
    return document;
  }

  async #import(from: string, target: string, at: Source): Promise<Node> {
    const uri = withoutFragment(target);
    if (uri === from || this.#reaches(uri, from)) {
      throw cwlError('cwl/invalid-document', `$import of ${uri} leads back to the importing document`);
    }
    const waits = this.#waits.get(from) ?? new Set();
    this.#waits.set(from, waits.add(uri));
    const { root } = await this.load(uri, at);
    const fragment = fragmentOf(target);
    return fragment === '' ? root : findNamed(root, fragment, target);
  }

  #reaches(from: string, to: string, seen = new Set<string>()): boolean {
    if (seen.has(from)) return false;
    seen.add(from);
    for (const next of this.#waits.get(from) ?? []) if (next === to || this.#reaches(next, to, seen)) return true;
    return false;
  }
}

/** A document from elsewhere does not get to read files of this machine. */
export const mayReferTo = (from: string, target: string): boolean =>
  !target.startsWith('file:') || from.startsWith('file:') || !from.includes(':');

function checkReferrer(from: string, target: string): void {
  if (mayReferTo(from, target)) return;
  throw cwlError('cwl/fetch-refused', `${from} may not refer to the local file ${target}`);
}

function namespacesOf(root: Node): Record<string, string> {
  const node = field(root, '$namespaces');
  const result: Record<string, string> = {};
  if (node?.kind !== 'map') return result;
  for (const [prefix, { value }] of node.entries) {
    const uri = stringOf(value);
    if (uri !== undefined) result[prefix] = uri;
  }
  return result;
}

/** The processes of a document: its `$graph`, its list, or itself. */
export function processesOf(root: Node): readonly MapNode[] {
  const graph = field(root, '$graph') ?? root;
  return itemsOf(graph).filter((node): node is MapNode => node.kind === 'map' && node.entries.has('class'));
}

/** The identifier of a node relative to its document: `#main` and `file.cwl#main` are `main`. */
function localId(node: Node): string | undefined {
  const id = stringOf(field(node, 'id')) ?? stringOf(field(node, 'name'));
  if (id === undefined) return undefined;
  return id.includes('#') ? fragmentOf(id) : id;
}

function findNamed(root: Node, fragment: string, target: string): Node {
  const candidates = root.kind === 'list' ? root.items : itemsOf(field(root, '$graph'));
  const found = candidates.find((node) => localId(node) === fragment);
  if (found) return found;
  const names = candidates.flatMap((node) => localId(node) ?? []);
  const hint = didYouMean(fragment, names);
  throw cwlError(
    'cwl/no-such-process',
    `nothing has the id ${JSON.stringify(fragment)} in ${withoutFragment(target)}`,
    {
      ...(hint !== undefined && { hint }),
    },
  );
}

/** The process that `uri` names: by its fragment, else `#main`, else the only one. */
export function selectProcess(document: Document, uri: string): MapNode {
  const processes = processesOf(document.root);
  const fragment = fragmentOf(uri);
  const names = processes.flatMap((node) => localId(node) ?? []);
  const isGraph = document.root.kind === 'list' || field(document.root, '$graph') !== undefined;
  if (fragment !== '') {
    const found =
      processes.find((node) => localId(node) === fragment) ?? embeddedProcess(processes, fragment.split('/'));
    if (found) return found;
  } else if (!isGraph && document.root.kind === 'map') return document.root;
  else {
    const main =
      processes.find((node) => localId(node) === 'main') ?? (processes.length === 1 ? processes[0] : undefined);
    if (main) return main;
  }
  if (processes.length > 0 || fragment !== '') throw noSuchProcess(document, fragment, names);
  const got = field(document.root, '$graph') ? 'a "$graph" without a process' : describe(document.root);
  throw cwlError('cwl/no-such-process', `expected a CWL document, got ${got}`, {
    hint: 'a process is a mapping with the fields cwlVersion, class, inputs and outputs',
    where: positionOf(document.root),
  });
}

function noSuchProcess({ uri, root }: Document, fragment: string, names: readonly string[]) {
  const file = displayName(uri);
  const where = positionOf(field(root, '$graph') ?? root);
  if (fragment !== '') {
    const hint = didYouMean(fragment, names) ?? choice(file, names);
    return cwlError('cwl/no-such-process', `no process "#${fragment}" in ${file}`, { where, ...(hint && { hint }) });
  }
  const hint = choice(file, names);
  return cwlError('cwl/no-such-process', `${file} holds several processes and none is "main"`, {
    where,
    ...(hint && { hint }),
  });
}

const choice = (file: string, names: readonly string[]): string | undefined =>
  names.length === 0
    ? undefined
    : `choose one: ${names
        .slice(0, 8)
        .map((name) => `${file}#${name}`)
        .join(', ')}`;

/** `workflow/step` names the process that the step holds. */
function embeddedProcess(processes: readonly MapNode[], path: readonly string[]): MapNode | undefined {
  for (const process of processes) {
    const id = localId(process)?.split('/') ?? [];
    const rest = id.every((part, index) => part === path[index]) ? path.slice(id.length) : path;
    const step = stepsOf(process).find((candidate) => candidate.name === rest[0]);
    const run = field(step?.node, 'run');
    if (run?.kind !== 'map' || run.entries.has('$import')) continue;
    const inner = rest.slice(rest[1] === 'run' ? 2 : 1);
    return inner.length === 0 ? run : embeddedProcess([run], inner);
  }
  return undefined;
}

function stepsOf(process: Node): readonly { readonly name: string; readonly node: Node }[] {
  const steps = field(process, 'steps');
  if (steps?.kind === 'map')
    return [...steps.entries].map(([name, { value }]) => ({ name: shortName(name), node: value }));
  return itemsOf(steps).map((node) => ({ name: shortName(stringOf(field(node, 'id')) ?? ''), node }));
}

/** Loads every document that the steps of `start` run, directly or not. Those that cannot be read become problems. */
export async function loadRunTargets(store: DocumentStore, start: MapNode, problems: Problems): Promise<void> {
  const seen = new Set<MapNode>();
  const follow = async (process: MapNode): Promise<void> => {
    if (seen.has(process)) return;
    seen.add(process);
    await Promise.all(
      stepsOf(process).map(async ({ node }) => {
        const run = field(node, 'run');
        if (run?.kind === 'map') return follow(run);
        const reference = stringOf(run);
        if (run === undefined || reference === undefined || isNull(run)) return;
        const target = resolveUri(run.source.uri, reference);
        try {
          const document = await store.load(target, run.source);
          await follow(selectProcess(document, target));
        } catch (error) {
          addLoadProblem(problems, run, error, target);
        }
      }),
    );
  };
  await follow(start);
}

function addLoadProblem(problems: Problems, run: Node, error: unknown, target: string): void {
  if (!isHallmarkError(error)) throw error;
  if (error.where?.line !== undefined) throw error;
  problems.error('unknown-reference', run, `cannot load ${target}: ${toMessage(error)}`, error.hint);
}
