import { isJsonObject } from '../../core/json.ts';
import { imageError } from '../errors.ts';

/** containers-registries.conf(5), version 2. Names as in the file. */
export interface RegistriesConf {
  readonly unqualifiedSearchRegistries: readonly string[];
  readonly registries: readonly RegistryTable[];
  /** Short name to full name. */
  readonly aliases: ReadonlyMap<string, string>;
}

export interface RegistryTable {
  /** `host[:port][/path]`, or `*.host`. What it matches is replaced by `location`. */
  readonly prefix: string;
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrorByDigestOnly: boolean;
  readonly mirrors: readonly MirrorTable[];
}

export interface MirrorTable {
  readonly location: string;
  readonly insecure: boolean;
  readonly pullFromMirror: 'all' | 'digest-only' | 'tag-only';
}

export const emptyRegistriesConf: RegistriesConf = {
  unqualifiedSearchRegistries: [],
  registries: [],
  aliases: new Map(),
};

/** Parses one file. Unknown keys are left alone, as podman does; wrong ones fail with `image/bad-registries-conf`. */
export async function parseRegistriesConf(text: string, file: string): Promise<RegistriesConf> {
  const toml = await parseToml(text, file);
  const fail = (what: string) => badConf(file, what);
  if (isJsonObject(toml.registries)) {
    throw fail('it is written in version 1 of the format ([registries.search])');
  }
  const aliases = toml.aliases ?? {};
  if (!isJsonObject(aliases)) throw fail('expected a table in [aliases]');
  return {
    unqualifiedSearchRegistries: texts(toml['unqualified-search-registries'], 'unqualified-search-registries', fail),
    registries: tables(toml.registry, '[[registry]]', fail).map((table) => toRegistry(table, fail)),
    aliases: new Map(Object.entries(aliases).map(([name, value]) => [name, hostText(value, `aliases.${name}`, fail)])),
  };
}

/** A later file replaces the search list, adds to the aliases, and replaces a registry with the same prefix. */
export function mergeRegistriesConf(first: RegistriesConf, second: RegistriesConf): RegistriesConf {
  const replaced = new Set(second.registries.map(({ prefix }) => prefix));
  const search = second.unqualifiedSearchRegistries;
  return {
    unqualifiedSearchRegistries: search.length > 0 ? search : first.unqualifiedSearchRegistries,
    registries: [...first.registries.filter(({ prefix }) => !replaced.has(prefix)), ...second.registries],
    aliases: new Map([...first.aliases, ...second.aliases]),
  };
}

type Fail = (what: string) => Error;
type Table = Record<string, unknown>;

function toRegistry(table: Table, fail: Fail): RegistryTable {
  const location = hostText(table.location ?? '', 'location', fail);
  const prefix = hostText(table.prefix ?? location, 'prefix', fail);
  if (prefix === '') throw fail('a [[registry]] has neither prefix nor location');
  if (prefix.startsWith('*.') && prefix.includes('/'))
    throw fail(`prefix ${JSON.stringify(prefix)}: after "*." only a host may come`);
  if (location === '' && !prefix.startsWith('*.')) throw fail(`[[registry]] ${JSON.stringify(prefix)} has no location`);
  return {
    prefix: clean(prefix),
    location: clean(location),
    insecure: flag(table.insecure, 'insecure', fail),
    blocked: flag(table.blocked, 'blocked', fail),
    mirrorByDigestOnly: flag(table['mirror-by-digest-only'], 'mirror-by-digest-only', fail),
    mirrors: tables(table.mirror, '[[registry.mirror]]', fail).map((mirror) => toMirror(mirror, fail)),
  };
}

function toMirror(table: Table, fail: Fail): MirrorTable {
  const pull = table['pull-from-mirror'] ?? 'all';
  if (pull !== 'all' && pull !== 'digest-only' && pull !== 'tag-only') {
    throw fail(`pull-from-mirror: expected all, digest-only or tag-only, got ${JSON.stringify(pull)}`);
  }
  const location = clean(hostText(table.location, 'mirror.location', fail));
  return { location, insecure: flag(table.insecure, 'mirror.insecure', fail), pullFromMirror: pull };
}

const clean = (location: string): string => location.replace(/\/+$/, '');

function hostText(value: unknown, name: string, fail: Fail): string {
  if (typeof value !== 'string' || value.includes('://'))
    throw fail(`${name}: expected a host, maybe with a path, got ${JSON.stringify(value)}`);
  return value;
}

function flag(value: unknown, name: string, fail: Fail): boolean {
  if (value !== undefined && typeof value !== 'boolean')
    throw fail(`${name}: expected true or false, got ${JSON.stringify(value)}`);
  return value ?? false;
}

function texts(value: unknown, name: string, fail: Fail): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw fail(`${name}: expected an array of texts`);
  return value.map((one) => hostText(one, name, fail));
}

function tables(value: unknown, name: string, fail: Fail): Table[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every(isJsonObject)) throw fail(`${name}: expected tables`);
  return value;
}

async function parseToml(text: string, file: string): Promise<Table> {
  const { parse, TomlError } = await import('smol-toml');
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const where = { file, line: error.line, column: error.column };
    const why = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '');
    throw imageError('image/bad-registries-conf', `${file}: ${why}`, {
      where,
      cause: error,
      hint: 'see containers-registries.conf(5)',
    });
  }
}

const badConf = (file: string, what: string) =>
  imageError('image/bad-registries-conf', `${file}: ${what}`, {
    where: { file },
    hint: 'see containers-registries.conf(5)',
  });
