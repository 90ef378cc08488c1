import { imageError } from '../errors.ts';
import { dockerHub, formatReference, type ImageReference, parseReference, relocateReference } from '../reference.ts';
import { isLoopback } from '../registry/loopback.ts';
import type { RegistryDirectory, RegistryEndpoint } from '../registry/port.ts';
import type { RegistriesConf, RegistryTable } from './registries-conf.ts';

/** What `registries.conf` makes of references. Registries of this machine's loopback may speak plain HTTP, as docker has it. */
export function createDirectory(conf: RegistriesConf): RegistryDirectory {
  return {
    candidates: (reference) => toCandidates(conf, reference),
    endpoints: (reference) => toEndpoints(conf, reference),
  };
}

/** A short name is an alias, or is looked for in the search registries, or is Docker Hub's. */
function toCandidates(conf: RegistriesConf, reference: ImageReference): readonly ImageReference[] {
  if (!reference.short) return [reference];
  const shortName = reference.repository.replace(/^library\//, '');
  const alias = conf.aliases.get(shortName);
  if (alias !== undefined) {
    const { registry, repository } = parseReference(alias);
    return [relocateReference(reference, registry, repository)];
  }
  const search = conf.unqualifiedSearchRegistries;
  if (search.length === 0) return [reference];
  return search.map((place) => {
    const { registry, path } = splitLocation(place);
    if (registry === dockerHub) return relocateReference(reference, dockerHub, reference.repository);
    return relocateReference(reference, registry, join(path, shortName));
  });
}

function toEndpoints(conf: RegistriesConf, reference: ImageReference): readonly RegistryEndpoint[] {
  const name = `${reference.registry}/${reference.repository}`;
  const table = findTable(conf.registries, name);
  if (!table) return [endpoint(name, false, false)];
  if (table.blocked) {
    throw imageError(
      'image/registry-blocked',
      `${formatReference(reference)}: registries.conf blocks ${table.prefix}`,
      {
        hint: 'take another registry, or ask whoever wrote registries.conf',
      },
    );
  }
  const mirrors = table.mirrors.filter(({ pullFromMirror }) => {
    const mode = table.mirrorByDigestOnly ? 'digest-only' : pullFromMirror;
    return mode === 'all' || (mode === 'digest-only') === (reference.digest !== undefined);
  });
  return [
    ...mirrors.map(({ location, insecure }) => endpoint(rewrite(name, table.prefix, location), insecure, true)),
    endpoint(rewrite(name, table.prefix, table.location), table.insecure, false),
  ];
}

/** The table with the longest prefix that ends where a part of the name ends. */
function findTable(tables: readonly RegistryTable[], name: string): RegistryTable | undefined {
  const matching = tables.filter(({ prefix }) => matchedLength(prefix, name) > 0);
  return matching.sort((a, b) => b.prefix.length - a.prefix.length)[0];
}

/** How much of the name the prefix stands for; 0 where it does not match. `*.example.com` matches each host below. */
function matchedLength(prefix: string, name: string): number {
  if (prefix.startsWith('*.')) {
    const host = name.slice(0, name.indexOf('/'));
    return host.replace(/:\d+$/, '').endsWith(prefix.slice(1)) ? host.length : 0;
  }
  return name === prefix || name.startsWith(`${prefix}/`) ? prefix.length : 0;
}

const rewrite = (name: string, prefix: string, location: string): string =>
  location === '' ? name : location + name.slice(matchedLength(prefix, name));

function endpoint(name: string, insecure: boolean, isMirror: boolean): RegistryEndpoint {
  const { registry, path } = splitLocation(name);
  return { registry, repository: path, insecure: insecure || isLoopback(registry), isMirror };
}

function splitLocation(location: string): { registry: string; path: string } {
  const slash = location.indexOf('/');
  if (slash < 0) return { registry: location, path: '' };
  return { registry: location.slice(0, slash), path: location.slice(slash + 1) };
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`);
