import { type Event, getScalarValue, type ScalarEvent } from 'js-yaml';
import { type CwlErrorCode, cwlError } from '../errors.ts';
import { type ParsedEvents, readEvents, YamlFailure } from './events.ts';
import { type MapEntry, type MapNode, type Node, positionOf, type Source } from './node.ts';
import { resolvePlain } from './scalar.ts';

export interface ParseLimits {
  readonly textLength: number;
  readonly depth: number;
  /** Nodes after every alias is counted as often as it stands for. */
  readonly nodes: number;
}

export const defaultParseLimits: ParseLimits = { textLength: 64 * 1024 * 1024, depth: 200, nodes: 5_000_000 };

const plainStyle = 1;
const eventId = { document: 1, sequence: 2, mapping: 3, scalar: 4, alias: 5, pop: 6 } as const;

/**
 * The one document of a YAML or JSON text as nodes. Refuses more than one document, duplicate keys, keys that are no
 * scalars, `__proto__`, unknown tags and aliases to unfinished nodes (`cwl/bad-yaml`), and what passes the limits (`cwl/yaml-limit`).
 */
export function parseSource(source: Source, limits: ParseLimits = defaultParseLimits): Node {
  if (source.text.length > limits.textLength) {
    throw failure(
      source,
      0,
      'cwl/yaml-limit',
      `document is too large: expected at most ${limits.textLength} characters`,
    );
  }
  return new Builder(source, limits, read(source, limits)).build();
}

function read(source: Source, limits: ParseLimits): ParsedEvents {
  try {
    return readEvents(source.text, limits.depth);
  } catch (error) {
    if (!(error instanceof YamlFailure)) throw error;
    const code = error.message.includes('nesting') ? 'cwl/yaml-limit' : 'cwl/bad-yaml';
    throw failure(source, error.offset, code, `bad YAML: ${error.message}`, bracketHint(source.text, error.offset));
  }
}

/** Inside `{…}` and `[…]` a type such as `File[]` ends before its brackets. */
function bracketHint(text: string, offset: number): string | undefined {
  const [word] = /\w+$/.exec(text.slice(Math.max(0, offset - 40), offset)) ?? [];
  const [brackets] = /^(\[\])+\??/.exec(text.slice(offset, offset + 20)) ?? [];
  return word && brackets ? `inside { } and [ ] it takes quotes: "${word}${brackets}"` : undefined;
}

function failure(source: Source, offset: number, code: CwlErrorCode, message: string, hint?: string) {
  const where = positionOf({ source, start: offset, end: offset });
  return cwlError(code, message, { where, ...(hint !== undefined && { hint }) });
}

interface Frame {
  readonly node: Extract<Node, { kind: 'list' | 'map' }>;
  readonly anchor: string | undefined;
  key: MapEntry | undefined;
  merges: Node[] | undefined;
  weight: number;
}

/** Turns events into nodes. `weight` of a container is its number of nodes with aliases counted in full. */
class Builder {
  readonly #source: Source;
  readonly #limits: ParseLimits;
  readonly #parsed: ParsedEvents;
  readonly #anchors = new Map<string, { node: Node; weight: number }>();
  readonly #stack: Frame[] = [];
  #root: Node | undefined;

  constructor(source: Source, limits: ParseLimits, parsed: ParsedEvents) {
    this.#source = source;
    this.#limits = limits;
    this.#parsed = parsed;
  }

  build(): Node {
    let documents = 0;
    for (const event of this.#parsed.events) {
      if (event.type === eventId.document) {
        documents += 1;
        if (documents > 1) throw this.#fail(this.#source.text.length, 'expected one document, got several');
      } else this.#take(event);
    }
    const source = this.#source;
    return this.#root ?? { kind: 'scalar', source, start: 0, end: 0, value: null };
  }

  #take(event: Exclude<Event, { type: 1 }>): void {
    switch (event.type) {
      case eventId.scalar:
        this.#scalar(event);
        break;
      case eventId.alias:
        this.#alias(this.#parsed.text.slice(event.anchorStart, event.anchorEnd), this.#at(event.anchorStart));
        break;
      case eventId.sequence:
      case eventId.mapping:
        this.#open(event);
        break;
      case eventId.pop:
        this.#close();
    }
  }

  #open(event: Extract<Event, { type: 2 | 3 }>): void {
    const start = this.#at(event.start);
    const place = { source: this.#source, start, end: start + 1 };
    this.#checkTag(event, event.type === eventId.sequence ? '!!seq' : '!!map');
    const node: Frame['node'] =
      event.type === eventId.sequence
        ? { kind: 'list', ...place, items: [] }
        : { kind: 'map', ...place, entries: new Map() };
    this.#stack.push({ node, anchor: this.#anchorOf(event), key: undefined, merges: undefined, weight: 1 });
  }

  #close(): void {
    const frame = this.#stack.pop();
    if (!frame) return;
    if (frame.merges && frame.node.kind === 'map') this.#merge(frame.node, frame.merges);
    if (frame.anchor !== undefined) this.#anchors.set(frame.anchor, { node: frame.node, weight: frame.weight });
    this.#add(frame.node, frame.weight);
  }

  #scalar(event: ScalarEvent): void {
    const text = getScalarValue(this.#parsed.text, event);
    const parent = this.#stack.at(-1);
    const offset = event.valueStart < 0 ? this.#offsetOfEmpty(parent) : this.#at(event.valueStart);
    const node: Node = {
      kind: 'scalar',
      source: this.#source,
      start: offset,
      end: event.valueStart < 0 ? offset : this.#at(event.valueEnd),
      value: this.#valueOf(event, text),
    };
    const anchor = this.#anchorOf(event);
    if (anchor !== undefined) this.#anchors.set(anchor, { node, weight: 1 });
    if (parent?.node.kind === 'map' && !parent.key) this.#key(parent, text, node);
    else this.#add(node, 1);
  }

  #offsetOfEmpty(parent: Frame | undefined): number {
    return parent?.key?.keyEnd ?? parent?.node.start ?? 0;
  }

  #key(frame: Frame, key: string, node: Node): void {
    if (frame.node.kind !== 'map') return;
    if (key === '__proto__') throw this.#fail(node.start, 'the key "__proto__" is not allowed');
    const before = frame.node.entries.get(key);
    if (before) {
      const { line } = positionOf({ source: this.#source, start: before.keyStart, end: before.keyEnd });
      throw this.#fail(node.start, `duplicate key ${JSON.stringify(key)}: it stands in line ${line} already`);
    }
    if (frame.node.entries.size === 0) Object.assign(frame.node, { end: node.end });
    frame.key = { key, source: this.#source, keyStart: node.start, keyEnd: node.end, value: node };
  }

  #alias(anchor: string, offset: number): void {
    const target = this.#anchors.get(anchor);
    if (!target)
      throw this.#fail(offset, `unknown alias ${JSON.stringify(anchor)}: expected the name of an anchor before it`);
    const frame = this.#stack.at(-1);
    if (frame?.node.kind === 'map' && !frame.key) {
      if (target.node.kind !== 'scalar')
        throw this.#fail(offset, 'expected a scalar as key, got an alias of a container');
      this.#key(frame, String(target.node.value), { ...target.node, start: offset, end: offset + anchor.length });
    } else this.#add(target.node, target.weight);
  }

  #add(node: Node, weight: number): void {
    const frame = this.#stack.at(-1);
    if (!frame) {
      this.#root = node;
      return;
    }
    frame.weight += weight;
    if (frame.weight > this.#limits.nodes) {
      throw failure(
        this.#source,
        node.start,
        'cwl/yaml-limit',
        `document is too large: expected at most ${this.#limits.nodes} values with aliases expanded`,
      );
    }
    if (frame.node.kind === 'list') frame.node.items.push(node);
    else if (!frame.key) throw this.#fail(node.start, 'expected a scalar as key, got a list or mapping');
    else {
      if (frame.key.key === '<<') {
        frame.merges = node.kind === 'list' ? node.items : [node];
      } else frame.node.entries.set(frame.key.key, Object.assign(frame.key, { value: node }));
      frame.key = undefined;
    }
  }

  /** YAML merge keys: what stands in the mapping wins, then the first mapping merged. */
  #merge(map: MapNode, merges: readonly Node[]): void {
    for (const other of merges) {
      if (other.kind !== 'map') throw this.#fail(other.start, 'expected a mapping to merge with "<<"');
      for (const [key, entry] of other.entries) if (!map.entries.has(key)) map.entries.set(key, { ...entry });
    }
  }

  #valueOf(event: ScalarEvent, text: string): string | number | bigint | boolean | null {
    const tag = this.#tagOf(event);
    if (tag === undefined) return event.style === plainStyle ? resolvePlain(text) : text;
    if (tag === '!' || tag === '!!str') return text;
    const value = resolvePlain(text);
    const expected = { '!!int': 'number', '!!float': 'number', '!!bool': 'boolean', '!!null': 'object' }[tag];
    if (expected === undefined) throw this.#fail(this.#at(event.tagStart), `unknown tag ${JSON.stringify(tag)}`);
    if ((typeof value === 'bigint' ? 'number' : typeof value) !== expected)
      throw this.#fail(this.#at(event.tagStart), `expected a value that fits the tag ${tag}`);
    return value;
  }

  #checkTag(event: Extract<Event, { type: 2 | 3 }>, expected: string): void {
    const tag = this.#tagOf(event);
    if (tag !== undefined && tag !== '!' && tag !== expected) {
      throw this.#fail(this.#at(event.tagStart), `unknown tag ${JSON.stringify(tag)}`);
    }
  }

  #tagOf(event: { tagStart: number; tagEnd: number }): string | undefined {
    if (event.tagStart < 0) return undefined;
    const tag = this.#parsed.text.slice(event.tagStart, event.tagEnd);
    return tag.replace(/^!<tag:yaml.org,2002:(.*)>$/, '!!$1');
  }

  #anchorOf(event: { anchorStart: number; anchorEnd: number }): string | undefined {
    return event.anchorStart < 0 ? undefined : this.#parsed.text.slice(event.anchorStart, event.anchorEnd);
  }

  #at(offset: number): number {
    return this.#parsed.toOriginal(offset);
  }

  #fail(offset: number, message: string) {
    return failure(this.#source, offset, 'cwl/bad-yaml', `bad YAML: ${message}`);
  }
}
