import type { Problems } from '../problems.ts';
import { displayName, field, type Node, type Span } from '../syntax/node.ts';
import { type CwlValue, isDirectory, isFile } from '../values.ts';

/** What is at a `file:` location. `near`: the name of something beside it that may be meant. */
export type Found =
  | { readonly kind: 'File' | 'Directory' | 'other' }
  | { readonly kind: 'none'; readonly near?: string };
export type Look = (location: string) => Found | undefined;

/** Reports every File and Directory of an input that is not there: value by value, before anything is read. */
export function checkFiles(name: string, value: CwlValue, span: Span, node: Node | undefined, sinks: Sinks): void {
  const check = (inner: unknown, innerNode: Node | undefined) =>
    checkFiles(name, inner as CwlValue, innerNode ?? span, innerNode, sinks);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) check(item, node?.kind === 'list' ? node.items[index] : undefined);
  } else if (isFile(value) || isDirectory(value)) {
    checkFile(name, value, span, node, sinks);
    const key = isFile(value) ? 'secondaryFiles' : 'listing';
    if (value[key] !== undefined) check(value[key], field(node, key));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) check(inner, field(node, key));
  }
}

interface Sinks {
  readonly look: Look;
  readonly problems: Problems;
}

function checkFile(
  name: string,
  value: { readonly class: 'File' | 'Directory'; readonly [field: string]: unknown },
  span: Span,
  node: Node | undefined,
  { look, problems }: Sinks,
): void {
  const { class: kind, location } = value;
  if (location === undefined) {
    const literal = kind === 'File' ? 'contents' : 'listing';
    if (value[literal] === undefined)
      problems.error('input', span, `input ${name}: a ${kind} needs a path, a location or ${literal}`);
    return;
  }
  if (typeof location !== 'string') return;
  const place = field(node, 'location') ?? field(node, 'path') ?? span;
  if (!/^(file|https?|s3|keep|_):/.test(location)) {
    const message = `input ${name}: expected a path, or a location with file:, http:, https:, s3: or keep:, got`;
    problems.error('input', place, `${message} ${JSON.stringify(location)}`);
  }
  if (!location.startsWith('file:')) return;
  const found = look(location);
  if (!found || found.kind === kind) return;
  const path = displayName(location);
  if (found.kind === 'none') {
    const hint = found.near === undefined ? relative : `did you mean ${JSON.stringify(found.near)}?`;
    problems.error('input', place, `input ${name}: there is no ${path}`, hint);
  } else {
    const got = found.kind === 'other' ? 'neither a file nor a folder' : `a ${found.kind}`;
    problems.error('input', place, `input ${name}: expected a ${kind} at ${path}, got ${got}`);
  }
}

const relative = 'paths in a job file are relative to that file, those on the command line to the current folder';
