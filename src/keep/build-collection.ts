import type { BlockLocator } from '../core/ids.ts';
import type { Collection, CollectionFile, FileSegment } from './collection.ts';
import { keepError } from './errors.ts';
import { blockSizeBytes, emptyBlockLocator, stripHints } from './locator.ts';
import { portableDataHash } from './manifest.ts';
import { escapeName } from './manifest-escape.ts';
import { baseName, checkPath, compareCodePoints, parentPath } from './paths.ts';

/** A directory while its manifest is made. */
interface Node {
  readonly files: CollectionFile[];
  readonly children: Map<string, Node>;
}

/**
 * The collection of these files and directories, its manifest normalized exactly as Arvados' Python SDK writes it.
 * Directories above a file need not be named. Fails with `keep/bad-path` on a bad or doubly used path.
 */
export function buildCollection(files: Iterable<CollectionFile>, directories: Iterable<string> = []): Collection {
  const tree = createTree();
  for (const path of directories) tree.directory(checkPath(path));
  for (const file of files) tree.add(file.segments.some(isEmpty) ? withoutEmpty(file) : file);
  const ordered = new Map<string, CollectionFile>();
  const lines: string[] = [];
  writeStreams(tree.root, '.', { lines, ordered });
  const manifestText = lines.join('');
  return {
    manifestText,
    portableDataHash: portableDataHash(manifestText),
    files: ordered,
    directories: tree.directories,
  };
}

const isEmpty = (segment: FileSegment) => segment.length === 0;

function withoutEmpty(file: CollectionFile): CollectionFile {
  return { ...file, segments: file.segments.filter((segment) => !isEmpty(segment)) };
}

function createTree() {
  const root: Node = { files: [], children: new Map() };
  const nodes = new Map<string, Node>([['', root]]);
  const directories = new Set<string>();
  const directory = (path: string): Node => {
    const known = nodes.get(path);
    if (known) return known;
    const node: Node = { files: [], children: new Map() };
    nodes.set(path, node);
    directories.add(path);
    directory(parentPath(path)).children.set(baseName(path), node);
    return node;
  };
  const add = (file: CollectionFile) => {
    checkPath(file.path);
    directory(parentPath(file.path)).files.push(file);
  };
  return { root, directories, directory, add };
}

function collision(path: string) {
  return keepError('keep/bad-path', `two entries of a collection have the path ${JSON.stringify(path)}`, {
    hint: 'give one of them another name',
  });
}

interface Output {
  readonly lines: string[];
  readonly ordered: Map<string, CollectionFile>;
}

/** One line a directory, a directory before its children, these by name. Streams nest as deep as the paths. */
function writeStreams(top: Node, name: string, output: Output): void {
  const waiting: [Node, string][] = [[top, name]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [node, streamName] = next;
    if (node.files.length > 0) output.lines.push(writeStream(node, streamName, output.ordered));
    else if (node.children.size === 0 && streamName !== '.') {
      output.lines.push(`${streamName} ${emptyBlockLocator} 0:0:\\056\n`);
    }
    const children = [...node.children].sort(([a], [b]) => compareCodePoints(b, a));
    for (const [child, childNode] of children) waiting.push([childNode, `${streamName}/${escapeName(child)}`]);
  }
}

function writeStream({ files, children }: Node, streamName: string, ordered: Map<string, CollectionFile>): string {
  files.sort((a, b) => compareCodePoints(a.path, b.path));
  const blocks: BlockLocator[] = [];
  const starts = new Map<BlockLocator, number>();
  let length = 0;
  for (const file of files) {
    for (const { locator } of file.segments) {
      const stripped = stripHints(locator);
      if (starts.has(stripped)) continue;
      starts.set(stripped, length);
      blocks.push(locator);
      length += blockSizeBytes(locator);
    }
  }
  const tokens: string[] = [];
  for (const file of files) {
    const name = baseName(file.path);
    if (ordered.has(file.path) || children.has(name)) throw collision(file.path);
    ordered.set(file.path, file);
    writeTokens(file, escapeName(name), { starts, tokens });
  }
  return `${streamName} ${(blocks.length > 0 ? blocks : [emptyBlockLocator]).join(' ')} ${tokens.join(' ')}\n`;
}

interface StreamTokens {
  readonly starts: ReadonlyMap<BlockLocator, number>;
  readonly tokens: string[];
}

/** The file's tokens; pieces that touch in the stream become one. */
function writeTokens({ segments }: CollectionFile, name: string, { starts, tokens }: StreamTokens): void {
  let from = 0;
  let to = 0;
  for (const [index, { locator, offset, length }] of segments.entries()) {
    const start = (starts.get(stripHints(locator)) ?? 0) + offset;
    if (index > 0 && start !== to) tokens.push(`${from}:${to - from}:${name}`);
    if (index === 0 || start !== to) from = start;
    to = start + length;
  }
  tokens.push(`${from}:${to - from}:${name}`);
}
