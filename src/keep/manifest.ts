import { hash } from 'node:crypto';
import { type BlockLocator, isBlockLocator, type PortableDataHash } from '../core/ids.ts';
import type { Collection, CollectionFile, FileSegment } from './collection.ts';
import { keepError } from './errors.ts';
import { blockSizeBytes } from './locator.ts';
import { unescapeName } from './manifest-escape.ts';
import { ancestors, joinPath, pathProblem } from './paths.ts';
import { maxBlockBytes } from './port.ts';

/** A manifest of a few lines can name every block of a stream in every file token; no real one comes near this. */
const maxSegments = 4_000_000;

/** The md5 of the text, its hints stripped, and its length in bytes: what Arvados' API server computes. */
export function portableDataHash(manifestText: string): PortableDataHash {
  const stripped = Buffer.from(stripManifest(manifestText));
  return `${hash('md5', stripped, 'hex')}+${stripped.length}` as PortableDataHash;
}

/** Removes the signatures and other hints from the locators of a manifest. */
export function stripManifest(manifestText: string): string {
  return manifestText.replace(/( [0-9a-f]{32}\+\d+)(?:\+[A-Z][-A-Za-z0-9@_]*)+(?=[ \n])/g, '$1');
}

/**
 * Reads a manifest (Arvados API 3.2, "Manifest format", v1), normalized or not; the collection keeps the text as it is,
 * so that its hash is that of the record. Fails with `keep/bad-manifest`.
 */
export function parseManifest(text: string): Collection {
  if (text !== '' && !text.endsWith('\n')) throw badManifest(text.split('\n').length, 'the last line has no newline');
  const draft: Draft = { files: new Map(), directories: new Set(), segmentCount: 0 };
  let lineNumber = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    lineNumber += 1;
    parseStream(draft, text.slice(start, end).split(' '), lineNumber);
    start = end + 1;
  }
  return {
    manifestText: text,
    portableDataHash: portableDataHash(text),
    files: draft.files,
    directories: draft.directories,
  };
}

/** A file whose tokens are still being read. */
interface DraftFile extends CollectionFile {
  sizeBytes: number;
  segments: FileSegment[];
}

interface Draft {
  readonly files: Map<string, DraftFile>;
  readonly directories: Set<string>;
  segmentCount: number;
}

/** The blocks of one stream laid end to end: block `i` begins at `starts[i]`; the last entry is the length of all. */
interface Stream {
  readonly directory: string;
  readonly blocks: readonly BlockLocator[];
  readonly starts: readonly number[];
  readonly line: number;
}

function parseStream(draft: Draft, tokens: readonly string[], line: number): void {
  const directory = parseStreamName(tokens[0] ?? '', line);
  const blocks: BlockLocator[] = [];
  const starts = [0];
  let index = 1;
  for (; index < tokens.length; index += 1) {
    const token = tokens[index] ?? '';
    if (!isBlockLocator(token)) break;
    const sizeBytes = blockSizeBytes(token);
    if (sizeBytes > maxBlockBytes) throw badManifest(line, `expected blocks of at most 64 MiB, got ${quote(token)}`);
    blocks.push(token);
    starts.push((starts.at(-1) ?? 0) + sizeBytes);
  }
  if (blocks.length === 0) throw badManifest(line, `expected a block locator, got ${quote(tokens[1] ?? '')}`);
  if (index === tokens.length) throw badManifest(line, 'expected a file token "position:size:name", got none');
  if (directory !== '') addDirectory(draft, directory, line);
  const stream: Stream = { directory, blocks, starts, line };
  for (; index < tokens.length; index += 1) parseFileToken(draft, stream, tokens[index] ?? '');
}

function parseStreamName(token: string, line: number): string {
  if (token === '.') return '';
  const name = unescapeName(token);
  if (!name?.startsWith('./')) throw badManifest(line, `expected a stream name "." or "./…", got ${quote(token)}`);
  return checkName(name.slice(2), line);
}

const fileTokenPattern = /^(\d{1,16}):(\d{1,16}):(.+)$/s;

function parseFileToken(draft: Draft, stream: Stream, token: string): void {
  const match = fileTokenPattern.exec(token);
  const name = match === null ? undefined : unescapeName(match[3] ?? '');
  if (match === null || name === undefined) {
    throw badManifest(stream.line, `expected a file token "position:size:name", got ${quote(token)}`);
  }
  const position = Number(match[1]);
  const sizeBytes = Number(match[2]);
  if (name === '.' || name.endsWith('/.')) {
    if (sizeBytes !== 0) throw badManifest(stream.line, `expected "." to be an empty file, got ${quote(token)}`);
    if (name !== '.')
      addDirectory(draft, joinPath(stream.directory, checkName(name.slice(0, -2), stream.line)), stream.line);
    return;
  }
  const file = openDraft(draft, joinPath(stream.directory, checkName(name, stream.line)), stream.line);
  const before = file.segments.length;
  appendRange(file, stream, position, position + sizeBytes, token);
  file.sizeBytes += sizeBytes;
  draft.segmentCount += file.segments.length - before;
  if (draft.segmentCount > maxSegments) throw badManifest(stream.line, `more than ${maxSegments} pieces of files`);
}

function openDraft(draft: Draft, path: string, line: number): DraftFile {
  const known = draft.files.get(path);
  if (known) return known;
  if (draft.directories.has(path)) throw badManifest(line, `${quote(path)} is a file and a directory`);
  const slash = path.lastIndexOf('/');
  if (slash >= 0) addDirectory(draft, path.slice(0, slash), line);
  const file: DraftFile = { path, sizeBytes: 0, segments: [] };
  draft.files.set(path, file);
  return file;
}

function addDirectory(draft: Draft, path: string, line: number): void {
  if (draft.directories.has(path)) return;
  for (const directory of [path, ...ancestors(path)]) {
    if (draft.files.has(directory)) throw badManifest(line, `${quote(directory)} is a file and a directory`);
    if (draft.directories.has(directory)) return;
    draft.directories.add(directory);
  }
}

/** Adds what `start`…`end` of the stream covers, a segment for each block; touching pieces of one block become one. */
function appendRange(file: DraftFile, stream: Stream, start: number, end: number, token: string): void {
  const total = stream.starts.at(-1) ?? 0;
  if (end > total) throw badManifest(stream.line, `the stream holds ${total} bytes, ${quote(token)} reaches past them`);
  if (start === end) return;
  for (let index = blockAt(stream.starts, start); (stream.starts[index] ?? total) < end; index += 1) {
    const blockStart = stream.starts[index] ?? 0;
    const from = Math.max(start, blockStart);
    const to = Math.min(end, stream.starts[index + 1] ?? total);
    const locator = stream.blocks[index];
    if (from === to || locator === undefined) continue;
    const last = file.segments.at(-1);
    const offset = from - blockStart;
    if (last?.locator === locator && last.offset + last.length === offset) {
      file.segments[file.segments.length - 1] = { ...last, length: last.length + to - from };
    } else appendSegment(file, { locator, offset, length: to - from });
  }
}

/** Most files are of one piece, and the first `push` to a list makes room for 16 more. */
function appendSegment(file: DraftFile, segment: FileSegment): void {
  if (file.segments.length === 0) file.segments = [segment];
  else file.segments.push(segment);
}

/** The last block that begins at or before `position`. */
function blockAt(starts: readonly number[], position: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

function checkName(name: string, line: number): string {
  const problem = pathProblem(name);
  if (problem === undefined) return name;
  throw badManifest(line, `the path ${problem}: ${quote(name)}`);
}

function badManifest(line: number, what: string) {
  return keepError('keep/bad-manifest', `manifest, line ${line}: ${what}`, {
    hint: 'the record is damaged or was not written by an Arvados client; its collection cannot be read',
  });
}

const quote = (text: string) => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
