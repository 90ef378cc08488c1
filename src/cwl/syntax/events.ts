import { type Event, parseEvents, YAMLException } from 'js-yaml';

export interface ParsedEvents {
  readonly events: readonly Event[];
  /** The text that the offsets of the events are of. */
  readonly text: string;
  /** Offset in the original text. */
  toOriginal(offset: number): number;
}

const padding = 2000;
const maxPaddedLines = 2000;

/**
 * Events of a YAML text. The parser insists that lines inside `[…]`, `{…}` and quotes are indented deeper than the block
 * around them (YAML 1.2.2, 7.4), which other readers of CWL do not; such lines are indented here and parsed again.
 */
export function readEvents(original: string, maxDepth: number): ParsedEvents {
  const padded: number[] = [];
  let text = original;
  for (;;) {
    try {
      const events = parseEvents(text, { maxDepth });
      return { events, text, toOriginal: (offset) => toOriginal(offset, padded) };
    } catch (error) {
      const at = deficientLine(error, text);
      if (at === undefined || padded.includes(toOriginal(at, padded)) || padded.length >= maxPaddedLines)
        throw toFailure(error, text, maxDepth, padded);
      padded.push(toOriginal(at, padded));
      padded.sort((a, b) => a - b);
      text = `${text.slice(0, at)}${' '.repeat(padding)}${text.slice(at)}`;
    }
  }
}

/** What is wrong with a text, and where in the original. */
export class YamlFailure extends Error {
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(reason);
    this.offset = offset;
  }
}

function toFailure(error: unknown, text: string, maxDepth: number, padded: readonly number[]): unknown {
  if (!(error instanceof YAMLException)) return error;
  const [, kind] = unclosed.exec(error.reason) ?? [];
  const opening = kind === undefined ? undefined : findOpening(text, kind === 'double' ? '"' : "'", maxDepth);
  if (opening !== undefined)
    return new YamlFailure(`a ${kind} quoted text begins here and has no end`, toOriginal(opening, padded));
  return new YamlFailure(error.reason, toOriginal(error.mark?.position ?? 0, padded));
}

const unclosed = /^unexpected end of the (?:stream|document) within a (double|single) quoted scalar$/;
/** Each try reads the text again. */
const mostTries = 50;
const mostText = 256 * 1024;

/** Where the quote stands that has no end: the last one before which no other is open. */
function findOpening(text: string, quote: string, maxDepth: number): number | undefined {
  let at = text.length > mostText ? -1 : text.lastIndexOf(quote);
  for (let tries = 0; at >= 0 && tries < mostTries; tries += 1) {
    if (!isQuoteOpen(text.slice(0, at), maxDepth)) return at;
    at = at === 0 ? -1 : text.lastIndexOf(quote, at - 1);
  }
  return undefined;
}

function isQuoteOpen(text: string, maxDepth: number): boolean {
  try {
    parseEvents(text, { maxDepth });
    return false;
  } catch (error) {
    return error instanceof YAMLException && unclosed.test(error.reason);
  }
}

function deficientLine(error: unknown, text: string): number | undefined {
  if (!(error instanceof YAMLException) || error.reason !== 'deficient indentation' || !error.mark) return undefined;
  return text.lastIndexOf('\n', error.mark.position - 1) + 1;
}

/** `padded` are offsets of the original, in order, before each of which blanks were put in. */
function toOriginal(offset: number, padded: readonly number[]): number {
  let shift = 0;
  for (const at of padded) {
    if (offset < at + shift) break;
    if (offset < at + shift + padding) return at;
    shift += padding;
  }
  return offset - shift;
}
