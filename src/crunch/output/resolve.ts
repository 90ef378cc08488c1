import { posix } from 'node:path';
import type { CollectionFile } from '../../keep/collection.ts';
import { joinPath } from '../../keep/paths.ts';
import { listDirectory } from '../../keep/tree.ts';
import { crunchError } from '../errors.ts';
import { type ContainerView, followLink } from './follow-link.ts';
import type { LiteralContent, MountedContent, OutputDirectory, OutputFile, OutputNode, OutputSymlink } from './node.ts';

/** Where the bytes of an output file are. */
export type OutputSource = OutputFile | LiteralContent | { readonly kind: 'stored'; readonly file: CollectionFile };

export interface ResolvedOutput {
  readonly files: ReadonlyMap<string, OutputSource>;
  readonly emptyDirectories: readonly string[];
}

export interface ResolveOptions {
  /** Asked of files and of empty directories; others are there for what is in them. */
  readonly wanted: (path: string) => boolean;
}

/** Symlinks to directories multiply what is in them: this is beyond any real output, and found out soon. */
const maxLinkedEntries = 250_000;

/**
 * Says for every path of the output where its bytes are. Symlinks are read as the container reads them: those to the output
 * or to a mounted collection become what they point to; any other fails with `crunch/bad-output`.
 */
export function resolveOutput(view: ContainerView, options: ResolveOptions): ResolvedOutput {
  const files = new Map<string, OutputSource>();
  const emptyDirectories: string[] = [];
  const open = new Set<OutputNode>();
  let links = 0;
  let linkedEntries = 0;

  const refuse = (path: string, problem: string): void => {
    if (options.wanted(path)) throw badLink(path, problem);
  };
  const addFile = (path: string, source: OutputSource): void => {
    if (options.wanted(path)) files.set(path, source);
  };
  const addMounted = (node: MountedContent, path: string): void => {
    const file = node.collection.files.get(node.path);
    if (file) {
      addFile(path, { kind: 'stored', file });
      return;
    }
    const children = listDirectory(node.collection, node.path);
    if (children.length === 0) emptyDirectories.push(path);
    for (const child of children) addMounted({ ...node, path: child.path }, joinPath(path, child.name));
  };
  const addLink = (node: OutputSymlink, path: string, at: string): void => {
    const target = followLink(view, at, node.target);
    if (target.kind === 'nothing') {
      refuse(path, target.problem);
      return;
    }
    links += 1;
    visit(target.node, path, target.at);
    links -= 1;
  };
  const addDirectory = (node: OutputDirectory, path: string, at: string): void => {
    if (open.has(node)) {
      refuse(path, 'points to a directory that it lies in');
      return;
    }
    if (node.entries.size === 0 && path !== '') emptyDirectories.push(path);
    open.add(node);
    for (const [name, entry] of node.entries) visit(entry, joinPath(path, name), posix.join(at, name));
    open.delete(node);
  };
  const visit = (node: OutputNode, path: string, at: string): void => {
    if (links > 0) linkedEntries += 1;
    if (linkedEntries > maxLinkedEntries) throw badLink(path, `brings in more than ${maxLinkedEntries} files again`);
    switch (node.kind) {
      case 'symlink':
        addLink(node, path, at);
        break;
      case 'mounted':
        addMounted(node, path);
        break;
      case 'directory':
        addDirectory(node, path, at);
        break;
      default:
        addFile(path, node);
    }
  };

  visit(view.root, '', view.place.outputPath);
  return { files, emptyDirectories: emptyDirectories.filter(options.wanted) };
}

function badLink(path: string, problem: string) {
  return crunchError('crunch/bad-output', `the output symlink ${JSON.stringify(path)} ${problem}`, {
    hint: 'copy the file into the output instead of linking to it, or keep it out of the output with output_glob',
  });
}
