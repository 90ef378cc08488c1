import { pathToFileURL } from 'node:url';

/** A scheme of two letters or more: `C:` and a lone `A:Gln2Cys` stay names. */
const schemePattern = /^([A-Za-z][A-Za-z0-9+.-]+):/;
const knownSchemes = new Set([
  'file',
  'http',
  'https',
  'keep',
  'arvwf',
  'data',
  's3',
  'gs',
  'ftp',
  'urn',
  'git',
  'ssh',
]);

function isAbsoluteUri(reference: string): boolean {
  const scheme = schemePattern.exec(reference)?.[1]?.toLowerCase();
  return scheme !== undefined && (knownSchemes.has(scheme) || reference.startsWith('://', scheme.length));
}

export const withoutFragment = (uri: string): string => uri.replace(/#.*$/s, '');

export const fragmentOf = (uri: string): string => {
  const at = uri.indexOf('#');
  return at < 0 ? '' : uri.slice(at + 1);
};

/** The last part of an identifier: `file.cwl#main/step/in` → `in` (Schema Salad, "short name"). */
export const shortName = (id: string): string => {
  const text = id.includes('#') ? fragmentOf(id) : id;
  return text.slice(text.lastIndexOf('/') + 1);
};

/** `reference` against `base`; a reference is a URI reference: `%` and `#` mean what they mean in URIs. */
export function resolveUri(base: string, reference: string): string {
  if (isAbsoluteUri(reference)) return reference;
  if (reference.startsWith('#')) return withoutFragment(base) + reference;
  const hash = reference.indexOf('#');
  const path = hash < 0 ? reference : reference.slice(0, hash);
  const fragment = hash < 0 ? '' : reference.slice(hash);
  if (base.startsWith('keep:')) return resolveInKeep(base, path) + fragment;
  // A leading "./" keeps a colon in the first segment from being read as a scheme.
  const relative = path.startsWith('/') ? path : `./${path}`;
  return new URL(relative.replaceAll('?', '%3F'), withoutFragment(base)).href + fragment;
}

function resolveInKeep(base: string, path: string): string {
  const [collection = '', ...rest] = withoutFragment(base).slice('keep:'.length).split('/');
  const parts = path.startsWith('/') ? [] : rest.slice(0, -1);
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return `keep:${[collection, ...parts].join('/')}`;
}

/** A path as people write it, `%` and `#` being letters of it, against `base`. */
export function resolvePath(base: string, path: string): string {
  if (isAbsoluteUri(path)) return path;
  if (path.startsWith('/')) return pathToFileURL(path).href;
  const quoted = path.split('/').map(encodeURIComponent).join('/');
  return resolveUri(base, quoted);
}

/** `cwltool:Secrets` → `http://commonwl.org/cwltool#Secrets`; anything else as it is. */
export function expandPrefix(name: string, namespaces: Readonly<Record<string, string>>): string {
  const at = name.indexOf(':');
  if (at <= 0) return name;
  const prefix = name.slice(0, at);
  const base = Object.hasOwn(namespaces, prefix) ? namespaces[prefix] : undefined;
  return base === undefined ? name : base + name.slice(at + 1);
}

const cwlVocabulary = 'https://w3id.org/cwl/cwl#';

/** Name in the vocabulary of CWL: short for the standard's own, a full URI for others. */
export function vocabularyName(name: string, namespaces: Readonly<Record<string, string>>): string {
  const full = expandPrefix(name, namespaces);
  return full.startsWith(cwlVocabulary) ? full.slice(cwlVocabulary.length) : full;
}
